import type { Expression } from "./syntax.ts";

/**
 * Writes an expression as filter text, the form error messages show: operands that are operators stand in parentheses,
 * functions read `name(a,b)`. Parsing the result gives the same tree, unless the added parentheses exceed a limit.
 */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "literal":
      return printLiteral(expression.value);
    case "identifier":
      return expression.name;
    case "not":
      return `not ${printOperand(expression.operand)}`;
    case "and":
    case "or":
      return expression.operands.map(printOperand).join(` ${expression.kind} `);
    case "comparison":
      return `${printOperand(expression.left)} ${expression.operator} ${printOperand(expression.right)}`;
    case "membership":
      // A parenthesis behind `in` would be read as a list.
      return `${printOperand(expression.item)} in ${printExpression(expression.collection)}`;
    case "oneOf":
      return `${printOperand(expression.item)} in (${expression.options.map(printExpression).join(",")})`;
    case "call":
      return `${expression.name}(${expression.args.map(printExpression).join(",")})`;
  }
}

function printOperand(expression: Expression): string {
  const printed = printExpression(expression);
  const isOperator = expression.kind !== "literal" && expression.kind !== "identifier" && expression.kind !== "call";
  return isOperator ? `(${printed})` : printed;
}

function printLiteral(value: null | boolean | number | string): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

/**
 * Takes the token out of an `Authorization` header: `Bearer <token>`, scheme name in any case, token trimmed.
 * Null when there is no header, another scheme or no token.
 * @spec C-3 R-16
 */
export function readBearerToken(authorization: string | null): string | null {
  if (authorization === null || authorization.slice(0, 7).toLowerCase() !== "bearer ") return null;
  const token = authorization.slice(7).trim();
  return token === "" ? null : token;
}

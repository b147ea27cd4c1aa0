// The page: who, which board, and then the pieces put together.
import { isBoardName, type Seat } from "../messages.ts";
import { element } from "./elements.ts";
import { freshId } from "./sketch.ts";
import { openBoard } from "./whiteboard.ts";

const nameKey = "whiteboard.name";
const personKey = "whiteboard.person";

const form = element("join", HTMLFormElement);
const welcome = element("welcome", HTMLElement);
const name = element("name", HTMLInputElement);
const board = element("board", HTMLInputElement);
const problem = element("join-problem", HTMLElement);

const asked = new URLSearchParams(location.search).get("board") ?? "";
name.value = localStorage.getItem(nameKey) ?? "";
board.value = isBoardName(asked) ? asked : freshBoardName();
if (asked !== "" && !isBoardName(asked)) {
  problem.textContent = "That link has no proper board name, so here is another one.";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  board.value = boardNameFrom(board.value);
  if (name.value.trim() === "" || !isBoardName(board.value)) {
    problem.textContent = "A board needs a name of letters a to z, digits and dashes, and so do you: any name will do.";
    return;
  }
  localStorage.setItem(nameKey, name.value.trim());
  history.pushState(null, "", `?${new URLSearchParams({ board: board.value }).toString()}`);
  enter();
});
// Back and forward lead to other boards: each has its own connection.
addEventListener("popstate", () => location.reload());

// Whoever was here before goes straight to the board of the link.
if (isBoardName(asked) && name.value !== "") enter();
else showForm();

function showForm(): void {
  welcome.hidden = false;
  (name.value === "" ? name : board).focus();
}

function enter(): void {
  const person = localStorage.getItem(personKey) ?? freshId();
  localStorage.setItem(personKey, person);
  const seat: Seat = { board: board.value, id: person, name: name.value.trim() };
  welcome.hidden = true;
  openBoard(seat, (reason) => {
    problem.textContent = reason;
    showForm();
  });
}

/** Something to say on the telephone. */
function freshBoardName(): string {
  const words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "island", "juniper"];
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint8Array(2));
  return `${words[first % words.length] ?? "board"}-${100 + second * 3}`;
}

/** "Team Plan" becomes "team-plan". */
function boardNameFrom(text: string): string {
  const dashed = text
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  return dashed.replaceAll(/^-+|-+$/g, "").slice(0, 40);
}

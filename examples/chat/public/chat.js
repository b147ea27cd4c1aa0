// @ts-check
// The page of the chat, without a library: a WebSocket and the JSON subprotocol of the service.

/** @typedef {{ kind: "message", from: string, text: string } | { kind: "notice", text: string }} Line */
/**
 * A frame of the service, of the kinds this page looks at.
 * @typedef {{ type: "ack", ackId: number, success: boolean }
 *   | { type: "message", data: Line }
 *   | { type: "system", event: "connected" | "disconnected" }} Frame
 */

const shortestPauseMs = 500;
const longestPauseMs = 15_000;
const mostLines = 500;

const welcome = element("welcome", HTMLElement);
const nameField = element("name", HTMLInputElement);
const enterButton = element("enter", HTMLButtonElement);
const refusal = element("refusal", HTMLElement);
const room = element("room", HTMLElement);
const state = element("state", HTMLElement);
const trouble = element("trouble", HTMLElement);
const scroll = element("scroll", HTMLElement);
const empty = element("empty", HTMLElement);
const lines = element("lines", HTMLElement);
const outbox = element("outbox", HTMLElement);
const newer = element("newer", HTMLButtonElement);
const textField = element("text", HTMLTextAreaElement);

/**
 * Messages whose acknowledgement is awaited, by ackId, oldest first.
 * @type {Map<number, { text: string, item: HTMLElement }>}
 */
const unconfirmed = new Map();
let lastAckId = 0;
let me = "";
/** @type {WebSocket | null} */
let socket = null;
/** Whether this page has been online before, so that what comes now is a reconnection. */
let wasOnline = false;
/** Whether the last message is in sight and is to stay so. */
let isFollowing = true;
let lastFrom = "";
let unread = 0;

element("join", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void join(nameField.value.trim());
});

element("leave", HTMLButtonElement).addEventListener("click", () => {
  sessionStorage.removeItem("name");
  location.reload(); // which also closes the socket
});

element("composer", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const text = textField.value.trim();
  if (text === "" || !isOnline()) return;
  textField.value = "";
  send(text);
});

textField.addEventListener("keydown", (event) => {
  // While an input method composes a word, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  textField.form?.requestSubmit();
});

newer.addEventListener("click", scrollToEnd);
scroll.addEventListener("scroll", () => {
  isFollowing = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
  if (isFollowing) newer.hidden = true;
});
// The keyboard of a phone and the line about trouble take room from the messages.
new ResizeObserver(() => {
  if (isFollowing) scrollToEnd();
}).observe(scroll);
document.addEventListener("visibilitychange", () => {
  unread = 0;
  document.title = "Chat";
});

// A reload comes back under the same name.
const remembered = sessionStorage.getItem("name");
if (remembered !== null) void join(remembered);

/** @param {string} name */
async function join(name) {
  me = name;
  enterButton.disabled = true;
  const answer = await negotiate();
  enterButton.disabled = false;
  refusal.hidden = "url" in answer;
  if ("problem" in answer) {
    refusal.textContent = answer.problem;
    return;
  }
  sessionStorage.setItem("name", name);
  welcome.hidden = true;
  room.hidden = false;
  textField.focus();
  state.textContent = "connecting";
  connect(answer.url, shortestPauseMs);
}

/**
 * The URL to connect with, or why there is none.
 * @returns {Promise<{ url: string } | { problem: string }>}
 */
async function negotiate() {
  try {
    const response = await fetch(`/negotiate?name=${encodeURIComponent(me)}`);
    const answer = /** @type {{ url: string, error: string }} */ (await response.json());
    return response.ok ? { url: answer.url } : { problem: answer.error };
  } catch {
    return { problem: "The server cannot be reached." };
  }
}

/**
 * @param {string} url
 * @param {number} pauseMs before the next attempt, if this one fails
 */
function connect(url, pauseMs) {
  let nextPauseMs = pauseMs;
  socket = new WebSocket(url, "json.webpubsub.azure.v1");
  socket.addEventListener("message", (event) => {
    const frame = /** @type {Frame} */ (JSON.parse(String(event.data)));
    if (frame.type === "ack") settle(frame.ackId, frame.success);
    else if (frame.type === "message") show(frame.data);
    else if (frame.event === "connected") {
      nextPauseMs = shortestPauseMs;
      setOnline();
    }
  });
  socket.addEventListener("close", () => {
    setOffline(wasOnline ? "The connection is lost." : "The chat service cannot be reached.");
    for (const ackId of [...unconfirmed.keys()]) settle(ackId, false);
    setTimeout(() => void reconnect(nextPauseMs), nextPauseMs);
  });
}

/**
 * A token is good for an hour, so every new connection asks for a new URL.
 * @param {number} pauseMs
 */
async function reconnect(pauseMs) {
  const nextPauseMs = Math.min(pauseMs * 2, longestPauseMs);
  const answer = await negotiate();
  if ("url" in answer) return connect(answer.url, nextPauseMs);
  setOffline(answer.problem);
  setTimeout(() => void reconnect(nextPauseMs), nextPauseMs);
}

function isOnline() {
  return state.classList.contains("is-online");
}

function setOnline() {
  if (wasOnline) notice("You were offline. What others said meanwhile is not here.");
  wasOnline = true;
  state.textContent = `online as ${me}`;
  state.classList.add("is-online");
  trouble.hidden = true;
  enableSending(true);
}

/** @param {string} reason */
function setOffline(reason) {
  state.textContent = "reconnecting";
  state.classList.remove("is-online");
  // The same words again would be read aloud again.
  const text = `${reason} Trying again.`;
  if (trouble.hidden || trouble.textContent !== text) trouble.textContent = text;
  trouble.hidden = false;
  enableSending(false);
}

/** @param {boolean} isEnabled */
function enableSending(isEnabled) {
  const buttons = document.querySelectorAll("#send, .again");
  for (const button of buttons) button.toggleAttribute("disabled", !isEnabled);
}

/** @param {string} text */
function send(text) {
  const ackId = ++lastAckId;
  const item = part("li", "waiting", `Sending: ${text}`);
  unconfirmed.set(ackId, { text, item });
  outbox.append(item);
  socket?.send(JSON.stringify({ type: "event", event: "message", ackId, dataType: "text", data: text }));
  scrollToEnd();
}

/**
 * Whether a message was sent is known: one that was not stays on the page until somebody decides.
 * @param {number} ackId
 * @param {boolean} isSent
 */
function settle(ackId, isSent) {
  const message = unconfirmed.get(ackId);
  if (message === undefined) return;
  unconfirmed.delete(ackId);
  const { text, item } = message;
  if (isSent) return item.remove();
  const again = part("button", "again", "Try again");
  const discard = part("button", "", "Discard");
  again.addEventListener("click", () => {
    item.remove();
    send(text);
  });
  discard.addEventListener("click", () => item.remove());
  item.className = "problem";
  const choices = part("div", "choices");
  choices.append(again, discard);
  item.replaceChildren(part("span", "", `Not sent: ${text}`), choices);
  enableSending(isOnline());
  scrollToEnd();
}

/** @param {Line} line */
function show(line) {
  if (line.kind === "notice") return notice(line.text);
  const isMine = line.from === me;
  if (isMine) cameBack(line.text);
  const item = part("li", isMine ? "message is-mine" : "message");
  item.classList.toggle("is-more", line.from === lastFrom);
  const face = part("div", "face", [...new Intl.Segmenter().segment(line.from)][0]?.segment.toUpperCase());
  face.ariaHidden = "true";
  face.style.setProperty("--hue", String(hueOf(line.from)));
  const who = part("div", "who");
  const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  who.append(part("b", "", line.from), time);
  item.append(face, who, part("div", "text", line.text));
  empty.hidden = true;
  append(item);
  lastFrom = line.from;
  if (document.hidden) document.title = `(${++unread}) Chat`;
}

/**
 * A message of mine is seen before its acknowledgement arrives: from now on it is not shown as being sent.
 * @param {string} text
 */
function cameBack(text) {
  for (const message of unconfirmed.values()) {
    if (message.text !== text || !message.item.isConnected) continue;
    message.item.remove();
    return;
  }
}

/** @param {string} text */
function notice(text) {
  lastFrom = "";
  append(part("li", "notice", text));
}

/** @param {HTMLElement} item */
function append(item) {
  lines.append(item);
  if (lines.childElementCount > mostLines) lines.firstElementChild?.remove();
  // Who reads further up is left there.
  if (isFollowing || item.classList.contains("is-mine")) scrollToEnd();
  else newer.hidden = false;
}

function scrollToEnd() {
  scroll.scrollTop = scroll.scrollHeight;
  newer.hidden = true;
}

/**
 * A colour that a name always has.
 * @param {string} name
 */
function hueOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return hash;
}

/**
 * An element with text; whatever a user typed stays text.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 */
function part(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 */
function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

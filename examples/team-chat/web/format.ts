/** Colours of avatars, dark enough for white letters. */
export const palette = [
  "#b3403a",
  "#a8541b",
  "#7a6a12",
  "#2f7d3b",
  "#0f7a78",
  "#2a6db0",
  "#6a51b8",
  "#a63d7c",
] as const;

export const colorNames = ["Red", "Orange", "Olive", "Green", "Teal", "Blue", "Violet", "Pink"] as const;

const segmenter = new Intl.Segmenter();
const firstLetter = (word: string): string => segmenter.segment(word).containing(0)?.segment ?? "";

/** One or two letters for an avatar. */
export function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}\p{Extended_Pictographic}]+/u).filter((word) => word !== "");
  return words.slice(0, 2).map(firstLetter).join("").toUpperCase() || "?";
}

export const timeOf = (at: number): string =>
  new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export function dayOf(at: number): string {
  const day = new Date(at);
  const today = new Date();
  if (day.toDateString() === today.toDateString()) return "Today";
  today.setDate(today.getDate() - 1);
  if (day.toDateString() === today.toDateString()) return "Yesterday";
  return day.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

/** `Ann is typing`, `Ann and Ben are typing`, `Ann, Ben and 2 others are typing`. */
export function typingText(names: readonly string[]): string {
  const [first = "", second = "", ...others] = names;
  if (names.length === 0) return "";
  if (names.length === 1) return `${first} is typing…`;
  if (others.length === 0) return `${first} and ${second} are typing…`;
  return `${first}, ${second} and ${others.length} ${others.length === 1 ? "other" : "others"} are typing…`;
}

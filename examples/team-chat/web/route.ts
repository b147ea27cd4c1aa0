import { computed, ref } from "vue";

/** The panes; a phone shows one at a time. */
export type View = "list" | "chat" | "people";

const hash = ref(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

/** The address says what is open, so that a reload and the back button do what is expected. */
export const route = computed(() => {
  const [, chatId = null, people] = /^#\/chat\/([\w-]+)(\/people)?$/.exec(hash.value) ?? [];
  const view: View = chatId === null ? "list" : people === undefined ? "chat" : "people";
  return { chatId, view };
});

export const listLink = "#/";
export const chatLink = (chatId: string): string => `#/chat/${chatId}`;
export const peopleLink = (chatId: string): string => `#/chat/${chatId}/people`;

export function go(link: string): void {
  location.hash = link;
}

const wide = matchMedia("(min-width: 760px)");
/** List and conversation stand side by side. */
export const isWide = ref(wide.matches);
wide.addEventListener("change", () => {
  isWide.value = wide.matches;
});

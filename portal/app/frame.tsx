import { useEffect, useRef, useState } from "react";
import { Brand } from "../parts/brand.tsx";
import { Notice } from "../parts/notice.tsx";
import { pageGroups } from "./pages.ts";
import { linkTo, usePlace } from "./router.ts";
import { useStatus } from "./status.tsx";

type Theme = "system" | "light" | "dark";
const themes: readonly Theme[] = ["system", "light", "dark"];
const themeKey = "tidewire-theme";

/** Navigation and the page it leads to. */
export function Frame({ onSignOut }: { readonly onSignOut: () => Promise<void> }) {
  const { page } = usePlace();
  const status = useStatus();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const entry = pageGroups.flatMap(({ pages }) => pages).find(({ id }) => id === page);
  const title = entry?.title ?? "Not found";
  useEffect(() => {
    document.title = `${title} · tidewire console`;
    setMenuOpen(false);
    window.scrollTo(0, 0);
  }, [title]);
  const Content = entry?.content;
  return (
    <div className="frame">
      <a className="skip" href="#main" onClick={(event) => focusMain(event, main.current)}>
        Skip to content
      </a>
      <header className="topbar">
        <Brand />
        <button type="button" aria-expanded={isMenuOpen} aria-controls="side" onClick={() => setMenuOpen(!isMenuOpen)}>
          {isMenuOpen ? "Close" : "Menu"}
        </button>
      </header>
      <aside id="side" className={isMenuOpen ? "side open" : "side"}>
        <Brand />
        <nav aria-label="Pages">
          {pageGroups.map((group) => (
            <div key={group.title}>
              <h2>{group.title}</h2>
              {group.pages.map(({ id, title: name }) => (
                <a
                  key={id}
                  href={linkTo(id)}
                  aria-current={id === page ? "page" : undefined}
                  onClick={() => setMenuOpen(false)}
                >
                  {name}
                </a>
              ))}
            </div>
          ))}
        </nav>
        <div className="foot">
          <ThemeChoice />
          <button type="button" onClick={() => void onSignOut()}>
            Sign out
          </button>
          <span>tidewire {status.value?.version}</span>
        </div>
      </aside>
      <main id="main" className="page" ref={main} tabIndex={-1}>
        {status.error !== null && <Notice kind="alarm">{status.error}</Notice>}
        {Content === undefined ? <h1>There is no such page</h1> : <Content key={page} />}
      </main>
    </div>
  );
}

function focusMain(event: { preventDefault(): void }, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}

function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(
    () => themes.find((known) => known === localStorage.getItem(themeKey)) ?? "system",
  );
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    localStorage.setItem(themeKey, theme);
  }, [theme]);
  return (
    <div className="field">
      <label htmlFor="theme">Colours</label>
      <select
        id="theme"
        value={theme}
        onChange={({ target }) => setTheme(themes.find((known) => known === target.value) ?? "system")}
      >
        <option value="system">As the system</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </div>
  );
}

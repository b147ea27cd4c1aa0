import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import type { Request, Response } from "express";

// Cookies do not tell ports apart, so the name says whose this is.
const cookieName = "team-chat-session";
const maxAgeMs = 30 * 24 * 60 * 60 * 1000;

/** Remembers in a signed cookie who signed in: `<id>.<milliseconds since 1970>.<signature>`. */
export interface Sessions {
  start(response: Response, personId: string): void;
  end(response: Response): void;
  /** The person's id; null without a cookie, and with one that is too old or not ours. */
  personOf(request: Request): string | null;
}

export function createSessions(secret: string): Sessions {
  const signatureOf = (content: string) => createHmac("sha256", secret).update(content).digest();
  // A page reads it never (httpOnly), other sites send it never (sameSite). Behind https, add `secure: true`.
  const options = { httpOnly: true, sameSite: "strict", path: "/" } as const;
  return {
    start(response, personId) {
      const content = `${personId}.${Date.now()}`;
      response.cookie(cookieName, `${content}.${signatureOf(content).toString("base64url")}`, {
        ...options,
        maxAge: maxAgeMs,
      });
    },

    end(response) {
      response.clearCookie(cookieName, options);
    },

    personOf(request) {
      const [, cookie = ""] = new RegExp(`(?:^|; *)${cookieName}=([^;]*)`).exec(request.headers.cookie ?? "") ?? [];
      const [personId = "", startedAt = "", signature = ""] = cookie.split(".");
      const given = Buffer.from(signature, "base64url");
      const expected = signatureOf(`${personId}.${startedAt}`);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
      return Date.now() - Number(startedAt) < maxAgeMs ? personId : null;
    },
  };
}

/** The secret in this file, made on the first start. */
export function readSecret(file: string): string {
  if (!existsSync(file)) {
    const draft = `${file}.${randomUUID()}`;
    writeFileSync(draft, randomBytes(32).toString("hex"), { mode: 0o600 });
    try {
      // A link fails where there is a file: two servers that start at once use the same secret.
      linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      unlinkSync(draft);
    }
  }
  return readFileSync(file, "utf8");
}

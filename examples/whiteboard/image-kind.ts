// What an uploaded file is, judged by its bytes: name and type are what somebody says.

export interface ImageKind {
  readonly type: "image/png" | "image/jpeg" | "image/webp";
  readonly width: number;
  readonly height: number;
}

/** Kind and size of a PNG, JPEG or WebP; null for everything else. */
export function imageKindOf(bytes: Uint8Array): ImageKind | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return pngOf(view) ?? webpOf(view) ?? jpegOf(view);
  } catch (error) {
    // It ends where its head says there is more.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function pngOf(view: DataView): ImageKind | null {
  const isPng = view.getUint32(0) === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a && textAt(view, 12) === "IHDR";
  return isPng ? { type: "image/png", width: view.getUint32(16), height: view.getUint32(20) } : null;
}

function webpOf(view: DataView): ImageKind | null {
  if (textAt(view, 0) !== "RIFF" || textAt(view, 8) !== "WEBP") return null;
  const type = "image/webp";
  switch (textAt(view, 12)) {
    case "VP8 ":
      return { type, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8X": {
      const width = (view.getUint32(24, true) & 0xffffff) + 1;
      return { type, width, height: (view.getUint32(26, true) >>> 8) + 1 };
    }
    default:
      return null;
  }
}

/** Walks over the segments until the one that has the size. */
function jpegOf(view: DataView): ImageKind | null {
  if (view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { type: "image/jpeg", height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    // A filler byte may stand before a marker.
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return null;
}

const textAt = (view: DataView, at: number): string =>
  String.fromCharCode(...[0, 1, 2, 3].map((offset) => view.getUint8(at + offset)));

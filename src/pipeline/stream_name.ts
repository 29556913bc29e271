// A stream's name for people becomes its name in addresses and on disk. Pure.

/** At most 48 characters of a-z, 0-9 and "-", and a number when that is taken. */
export function nameStream(name: string, isTaken: (id: string) => boolean): string {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 48).replace(/^-+|-+$/g, "") ||
    "stream";
  for (let count = 1;; count++) {
    const id = count === 1 ? slug : `${slug}-${count}`;
    if (!isTaken(id)) return id;
  }
}

// What is said of a file that cannot be read. Throws `IMPORT` with the line, counted from 1.
export type Fail = (text: string, line: number) => never

/** In characters: what is longer is more likely a quote that never ends. */
export const MAX_RECORD = 16 * 1024 * 1024

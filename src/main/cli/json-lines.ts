/** JSON, one object a line, each with its `type` first. */

/** Text outside ASCII control characters stays as it is; a line never contains a line break. */
export function jsonLine(type: string, fields: object): string {
  return `${JSON.stringify({ type, ...fields })}\n`
}

/**
 * What programs that run asr make of its lines. Each reader does what the program does that it is named after, step for
 * step; where that was read is told in src/main/cli/puppetstrings-printer.ts.
 */

/** google/restor: one pipe for both outputs, percents with a hint of verifying, and what it would show as the error. */
export function readAsRestor(text: string) {
  let percentage = 0
  let verifying = false
  const imaging: number[] = []
  const verified: number[] = []
  const unknown: string[] = []
  for (const dirty of text.split('\n')) {
    const line = dirty.replace(/^[ \t]+|[ \t]+$/g, '')
    if (line === '' || line.startsWith('XSTA')) continue
    if (/^(PINF|PSTT|PSTP)/.test(line)) {
      const components = line.split(/[ \t]/)
      if (components.length < 2) continue
      const now = Number.parseInt(components[1] ?? '', 10) || 0
      if (now < percentage) verifying = true
      percentage = now
      if (verifying) verified.push(now)
      else imaging.push(now)
    } else if (line.length >= dirty.length && line !== 'done') unknown.push(line)
  }
  return { imaging, verified, unknown }
}

/** Imagr: fields by tabs; four of them, the second a whole number, the fourth what it does. */
export function readAsImagr(text: string): string[] {
  return text.split('\n').flatMap((raw) => {
    const fields = raw.trim().split('\t')
    if (!/^\d+$/.test(fields[1] ?? '') || fields.length !== 4) return []
    if (fields[3] === 'restore') return [`Restoring: ${fields[1]}%`]
    if (fields[3] === 'verify') return [`Verifying: ${fields[1]}%`]
    return ['?']
  })
}

/** rotavault: a scanner for PINF and a number behind it. */
export const readAsRotavault = (text: string): number[] =>
  [...text.matchAll(/PINF\s*(\d+(?:\.\d+)?)/g)].map((match) => Number(match[1]))

/** 2, 4 … 100. */
export const everySecondPercent: readonly number[] = Array.from({ length: 50 }, (_, index) => (index + 1) * 2)

/** The result as a table for the terminal, and as docs/benchmarks.md. */
import { explainMissed } from './explain-missed.ts'
import { targetText, verdict, type Line } from './line.ts'

export function textReport(lines: readonly Line[]): string {
  return lines
    .map((line) => {
      const peer = line.peer === '' ? '' : ` · peer ${line.peer}`
      const target = line.target === null ? '' : ` (${targetText(line)})`
      return `${verdict(line).padEnd(5)} ${line.what}\n      ${figure(line)}${target} · ours ${line.ours}${peer}`
    })
    .join('\n')
}

const figure = ({ value, unit }: Line) =>
  `${value.toFixed(unit === '×' || unit === 's' || value < 10 ? 2 : 0)} ${unit}`

export function markdownReport(
  lines: readonly Line[],
  machine: readonly (readonly [string, string])[],
  conditions: readonly string[],
): string {
  const rows = lines.map(
    (line) =>
      `| ${line.what} | ${line.ours} | ${line.peer} | ${figure(line)} | ${targetText(line)} | ${verdict(line)} |`,
  )
  const missed = explainMissed(lines)
  const missedPart =
    missed.length === 0
      ? ''
      : `
## What is missed, and why

${missed.map((sentence) => `- ${sentence}`).join('\n')}
`
  return `# Benchmarks

Written by \`npm run bench\`: ours and the peer in one run, taking turns, after a round that doesn't count. Times and CPU
are medians, and ratios are ratios of medians.

| What | Ours | Peer | Figure | Target | |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
${missedPart}
## How

${conditions.map((condition) => `- ${condition}`).join('\n')}

## Machine

| | |
| --- | --- |
${machine.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}
`
}

/** The log: filtered, searched, followed, copied; or the jobs as asr would have told them. */
import { useMemo, useState } from 'react'
import { Input, Label, SearchField, ToggleButton, ToggleButtonGroup } from 'react-aria-components'
import { Button, Checkbox, CopyButton, saveText } from '#renderer/components'
import { useMirror, useReprise, type EngineMirror } from '#renderer/store'
import type { LogLevel } from '#shared/log'
import type { JobState } from '#shared/model'
import { filterLog } from './log-filter.ts'
import { LogLines } from './log-lines.tsx'
import { reportHead, reportLine, reportName, transcripts, wholeReport } from './log-report.ts'
import { useFollow, type Following } from './use-follow.ts'
import './activity.css'

const levels: readonly { readonly level: LogLevel | 'transcript'; readonly name: string }[] = [
  { level: 'debug', name: 'All' },
  { level: 'info', name: 'Info' },
  { level: 'warn', name: 'Warnings' },
  { level: 'error', name: 'Errors' },
  { level: 'transcript', name: 'Transcript' },
]

const logOf = (mirror: EngineMirror) => mirror.log

export function LogView() {
  const log = useMirror(logOf)
  const [level, setLevel] = useState<LogLevel | 'transcript'>('debug')
  const [search, setSearch] = useState('')
  const [follow, setFollow] = useState(true)
  const shown = useMemo(
    () => (level === 'transcript' ? [] : filterLog(log, level, search)),
    [log, level, search],
  )
  const told = useTranscripts(level === 'transcript')
  const { mirror } = useReprise()
  const copied = () => {
    const lines = level === 'transcript' ? told : shown.map(reportLine)
    return reportHead(mirror.getState().app, Date.now()) + lines.join('\n')
  }
  const save = () => {
    const { app, jobIds, jobs, log } = mirror.getState()
    const nowMs = Date.now()
    saveText(reportName(nowMs), wholeReport(app, inOrder(jobIds, jobs), log, nowMs))
  }
  return (
    <section className="log" aria-label="Log">
      <div className="log-bar">
        <ToggleButtonGroup
          className="segments"
          aria-label="What to show"
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={[level]}
          onSelectionChange={(keys) => setLevel([...keys][0] as LogLevel | 'transcript')}
        >
          {levels.map(({ level, name }) => (
            <ToggleButton key={level} id={level} className="segment">
              {name}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
        <SearchField
          className="log-search"
          value={search}
          onChange={setSearch}
          isDisabled={level === 'transcript'}
        >
          <Label className="visually-hidden">Search the log</Label>
          <Input className="text-input" placeholder="Search" />
        </SearchField>
        <span className="log-space" />
        <Checkbox checked={follow} onChange={setFollow}>
          Follow
        </Checkbox>
        <CopyButton label="Copy" text={copied} />
        <Button onPress={save}>Save…</Button>
      </div>
      {level === 'transcript' ? (
        <Transcript lines={told} follow={follow} onFollow={setFollow} />
      ) : (
        <LogLines lines={shown} follow={follow} onFollow={setFollow} />
      )}
    </section>
  )
}

function useTranscripts(wanted: boolean): readonly string[] {
  const jobIds = useMirror((mirror) => mirror.jobIds)
  const jobs = useMirror((mirror) => (wanted ? mirror.jobs : null))
  return useMemo(() => (jobs === null ? [] : transcripts(inOrder(jobIds, jobs))), [jobIds, jobs])
}

/** The newest last, as the lines of the log are. */
const inOrder = (jobIds: readonly string[], jobs: EngineMirror['jobs']): readonly JobState[] =>
  jobIds.toReversed().flatMap((id) => jobs[id] ?? [])

function Transcript({ lines, ...following }: Following & { readonly lines: readonly string[] }) {
  const { frame, onScroll } = useFollow<HTMLPreElement>(following)
  return (
    <pre
      ref={frame}
      className="log-lines log-transcript selectable"
      aria-label="Transcript"
      // A scrolled region has to be reachable by the keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      data-landing="next"
      onScroll={onScroll}
    >
      {lines.length === 0 ? 'Nothing has been restored since Reprise was started.' : lines.join('\n')}
    </pre>
  )
}

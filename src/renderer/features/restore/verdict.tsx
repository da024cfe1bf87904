/** What every end has in common: what it was, the phases, the headline with what there is to say of it, and what can be done. */
import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react'
import { Button, CopyButton, saveText, StateIcon, type IconState } from '#renderer/components'
import { jobReport, useActions, useReprise } from '#renderer/store'
import type { JobState } from '#shared/model'
import { fileMoment } from '#shared/units'
import { copiedShare } from './copied-share.ts'
import { PhaseList } from './running.tsx'
import { SummaryLine } from './summary-line.tsx'

interface VerdictProps {
  readonly job: JobState
  readonly tone: 'done' | 'failed' | 'cancelled'
  readonly icon: IconState
  readonly headline: string
  readonly again: string
  readonly children: ReactNode
}

export function Verdict({ job, tone, icon, headline, again, children }: VerdictProps) {
  const actions = useActions()
  const { mirror } = useReprise()
  const box = useRef<HTMLElement>(null)
  const scrolls = useScrolls(box)
  const report = () => jobReport(job, mirror.getState().app, mirror.getState().log)
  return (
    <div className="job ended">
      {job.plan && (
        <SummaryLine plan={job.plan} done={copiedShare(job)} tone={tone === 'cancelled' ? 'running' : tone} />
      )}
      <div className="running-columns">
        <PhaseList job={job} />
        <section
          ref={box}
          className="verdict"
          data-tone={tone}
          role={tone === 'failed' ? 'alert' : undefined}
          aria-labelledby="verdict-headline"
          tabIndex={scrolls ? 0 : undefined}
        >
          <h2 id="verdict-headline" tabIndex={-1} data-landing="next">
            <StateIcon state={icon} size={18} />
            <span className="selectable">{headline}</span>
          </h2>
          {children}
        </section>
      </div>
      <div className="ended-actions">
        {tone === 'failed' && <CopyButton label="Copy Details" text={report} />}
        {differs(job) && (
          <Button
            onPress={() =>
              saveText(`Reprise report ${fileMoment(job.endedMs ?? job.startedMs)}.txt`, report())
            }
          >
            Save Report…
          </Button>
        )}
        <Button onPress={() => actions.showActivity('log')}>Show Log</Button>
        <Button look="primary" onPress={actions.startOver}>
          {again}
        </Button>
      </div>
    </div>
  )
}

/** What came back isn't what was written: who asks the maker for another disk wants it in a file. */
const differs = ({ outcome }: JobState): boolean =>
  outcome?.kind === 'failed' && outcome.error.family === 'verification'

/** Whether there is more in it than room: then the keyboard has to reach it, to scroll. */
function useScrolls(box: RefObject<HTMLElement | null>): boolean {
  const [scrolls, setScrolls] = useState(false)
  useEffect(() => {
    const element = box.current
    if (!element) return undefined
    const observer = new ResizeObserver(() => setScrolls(element.scrollHeight > element.clientHeight))
    observer.observe(element)
    for (const child of element.children) observer.observe(child)
    return () => observer.disconnect()
  }, [box])
  return scrolls
}

/** The two wells in one line, while and after a restore runs. The arrow between them is the progress. */
import { DeviceIcon, diskIcon, type IconName } from '#renderer/components'
import { useMirror, type EngineMirror } from '#renderer/store'
import type { RestorePlan } from '#shared/model'
import { sourceName, targetName } from './text.ts'

interface Props {
  readonly plan: RestorePlan
  /** 0–1; null before it is known. */
  readonly done: number | null
  readonly tone?: 'running' | 'done' | 'failed'
}

const practiceImage = (mirror: EngineMirror) => mirror.app?.practice?.image

export function SummaryLine({ plan, done, tone = 'running' }: Props) {
  const practice = useMirror(practiceImage) === plan.request.source
  return (
    <div className="summary" data-tone={tone}>
      <End icon={practice ? 'practice-image' : sourceIcon(plan)} name={sourceName(plan)} />
      <svg className="summary-arrow" aria-hidden="true" preserveAspectRatio="none">
        <line x1="0" y1="50%" x2="100%" y2="50%" />
        {done !== null && done > 0 && (
          <line className="summary-done" x1="0" y1="50%" x2={`${100 * done}%`} y2="50%" />
        )}
      </svg>
      <svg
        className="summary-head"
        data-reached={done === 1 || undefined}
        viewBox="0 0 10 16"
        width="10"
        height="16"
        aria-hidden
      >
        <path d="m2 2 6 6-6 6" />
      </svg>
      <End icon={targetIcon(plan)} name={targetName(plan)} />
    </div>
  )
}

const End = ({ icon, name }: { readonly icon: IconName; readonly name: string }) => (
  <span className="summary-end">
    <DeviceIcon name={icon} size={28} />
    <span className="ellipsis" title={name}>
      {name}
    </span>
  </span>
)

function sourceIcon({ source }: RestorePlan): IconName {
  if (source?.kind === 'disk') return diskIcon(source.disk)
  if (source?.kind === 'stream') return 'stream'
  return source?.kind === 'volume' ? 'volume' : 'image'
}

function targetIcon({ target }: RestorePlan): IconName {
  if (target?.kind === 'partition') return 'volume'
  return target?.disk ? diskIcon(target.disk) : 'file'
}

/** The window's own words: connection and notices. */
import { unreachable } from '#shared/errors'
import { describeProblem, type EngineMirror, type Notice } from '#renderer/store'
import type { JobState } from '#shared/model'
import {
  describeChanged,
  describeError,
  describeOutcome,
  describeOutcomeFigures,
  describeSessionFailure,
  describeTargetState,
  describeWarnings,
  enumerate,
  namesOf,
} from '#shared/words'

export interface NoticeWords {
  readonly title: string
  readonly text: string
  readonly tone: 'danger' | 'warning' | 'info'
}

/** That the host can't be reached; null while it can, or wasn't yet. */
export function connectionWords(connection: EngineMirror['connection']): NoticeWords | null {
  if (connection.state === 'refused')
    return {
      tone: 'danger',
      title: 'This link is not valid.',
      text: 'Each start of Reprise makes a new one. Take it from the terminal.',
    }
  if (connection.state !== 'lost') return null
  return connection.retrying
    ? {
        tone: 'warning',
        title: 'The connection to Reprise was lost.',
        text: 'A running job goes on by itself. Connecting again…',
      }
    : {
        tone: 'danger',
        title: "Reprise can't be reached.",
        text: 'If it still runs, its jobs go on, and this page connects again by itself. If not, start it again, then open the address that it prints.',
      }
}

/** That the engine is gone, and what comes of it; null while it isn't. `reason`: the code of why. */
export function engineWords({ state, reason }: EngineMirror['engine']): NoticeWords | null {
  if (state !== 'gone') return null
  return {
    tone: 'danger',
    title: 'The part of Reprise that does the work stopped.',
    text:
      reason === 'E_HELPER_VERSION'
        ? 'It was replaced by another version. Quit Reprise and start it again.'
        : 'It is being started again.',
  }
}

export function noticeWords(notice: Notice): NoticeWords {
  switch (notice.kind) {
    case 'ejected':
      return { tone: 'info', title: `'${notice.name}' was ejected.`, text: 'It can be unplugged.' }
    case 'not-one-file':
      return { tone: 'warning', title: 'One file at a time.', text: 'Drop a single disk image on the well.' }
    case 'not-located':
      return {
        tone: 'warning',
        title: `'${notice.name}' wasn't found on the computer that Reprise runs on.`,
        text: "A browser doesn't say where a dropped file lies, and it isn't in the usual folders. Choose it with Image….",
      }
    case 'destination-left':
      return {
        tone: 'warning',
        title: `'${notice.name}' is no longer the destination.`,
        text: `${describeProblem(notice.problem)}.`,
      }
    case 'error': {
      const target = notice.doing === 'start' || notice.doing === 'eject' ? { target: notice.name } : {}
      const source = notice.doing === 'work' || notice.doing === 'open' ? { source: notice.name } : {}
      const words = describeError(notice.error, { ...target, ...source })
      return {
        tone: 'danger',
        title: words.what,
        text: [words.why, words.now].filter((part) => part !== null).join(' '),
      }
    }
    case 'configuration':
      return {
        tone: notice.warnings.length > 0 ? 'warning' : 'info',
        title: `'${notice.name}' was ${notice.doing}.`,
        text: notice.warnings.join(' '),
      }
    case 'worked':
      return workedWords(notice.job)
    case 'stream-failed': {
      // They are told of together because the words are the same for all.
      const { what, why, now } = describeSessionFailure(notice.sessions[0])
      return {
        tone: 'danger',
        title: `${enumerate(notice.sessions.map(({ settings }) => settings.name))}: ${what}`,
        text: [why, now].filter((part) => part !== null).join(' '),
      }
    }
    default:
      return unreachable(notice)
  }
}

/** How a restore ended, or work on an image that was started here, that nobody was watching. */
function workedWords(job: JobState): NoticeWords {
  const { outcome, title, plan, kind } = job
  const warnings = describeWarnings(job)
  if (outcome?.kind === 'failed') {
    const words = describeError(outcome.error, plan ? namesOf(plan) : { source: title })
    const target = plan ? describeTargetState(outcome.target, plan.target) : describeChanged(kind, outcome)
    return {
      tone: 'danger',
      title: `${title}: ${words.what}`,
      text: [words.why, target, words.now, ...warnings].filter((part) => part !== null).join(' '),
    }
  }
  return {
    tone: warnings.length > 0 ? 'warning' : 'info',
    title: title,
    text: outcome
      ? [
          describeOutcome(outcome),
          describeChanged(kind, outcome),
          describeOutcomeFigures(outcome),
          ...warnings,
        ]
          .filter((part) => part !== null)
          .join(' ')
      : '',
  }
}

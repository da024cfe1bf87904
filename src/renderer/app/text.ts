/** The window's own words: connection and notices. */
import { unreachable } from '#shared/errors'
import { describeProblem, type Notice } from '#renderer/store'
import type { JobState } from '#shared/model'
import {
  describeChanged,
  describeError,
  describeOutcome,
  describeOutcomeFigures,
  describeSessionFailure,
  describeTargetState,
  enumerate,
  namesOf,
} from '#shared/words'

export interface NoticeWords {
  readonly title: string
  readonly text: string
  readonly tone: 'danger' | 'warning' | 'info'
}

/** What comes of an engine that is gone; `reason`: the code of why. */
export const engineGoneWords = (reason: string | null): string =>
  reason === 'E_HELPER_VERSION'
    ? 'It was replaced by another version. Quit Reprise and start it again.'
    : 'It is being started again.'

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
function workedWords({ outcome, title, plan, kind }: JobState): NoticeWords {
  if (outcome?.kind === 'failed') {
    const words = describeError(outcome.error, plan ? namesOf(plan) : { source: title })
    const target = plan ? describeTargetState(outcome.target, plan.target) : describeChanged(kind, outcome)
    return {
      tone: 'danger',
      title: `${title}: ${words.what}`,
      text: [words.why, target, words.now].filter((part) => part !== null).join(' '),
    }
  }
  return {
    tone: 'info',
    title: title,
    text: outcome
      ? [describeOutcome(outcome), describeChanged(kind, outcome), describeOutcomeFigures(outcome)]
          .filter((part) => part !== null)
          .join(' ')
      : '',
  }
}

/** The state for components: selectors in, values out. Selectors are constants and return what can be compared by `===`. */
import { createContext, use, useCallback, useRef, useSyncExternalStore } from 'react'
import type { Actions } from './actions.ts'
import type { EngineMirror } from './engine-mirror.ts'
import { errorReport, type ReportedFailure } from './job-report.ts'
import type { Reprise } from './reprise.ts'
import type { ViewState } from './view-state.ts'

const RepriseContext = createContext<Reprise | null>(null)

export const RepriseProvider = RepriseContext.Provider

export function useReprise(): Reprise {
  const reprise = use(RepriseContext)
  if (!reprise) throw new Error('a component outside RepriseProvider')
  return reprise
}

export const useActions = (): Actions => useReprise().actions

export function useMirror<T>(selector: (mirror: EngineMirror) => T): T {
  const { mirror } = useReprise()
  return useSyncExternalStore(mirror.subscribe, () => selector(mirror.getState()))
}

export function useView<T>(selector: (view: ViewState) => T): T {
  const { view } = useReprise()
  return useSyncExternalStore(view.subscribe, () => selector(view.getState()))
}

/**
 * A value of both states. It is computed again only when one of them changed, so the selector may build objects; the
 * component draws again when the result isn't `equal` to the last one (`===` unless told otherwise).
 */
export function useBoth<T>(
  selector: (mirror: EngineMirror, view: ViewState) => T,
  equal: (a: T, b: T) => boolean = Object.is,
): T {
  const { mirror, view } = useReprise()
  const last = useRef<{ mirror: EngineMirror; view: ViewState; selector: unknown; value: T } | null>(null)
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = [mirror.subscribe(listener), view.subscribe(listener)]
      return () => ends.forEach((end) => end())
    },
    [mirror, view],
  )
  return useSyncExternalStore(subscribe, () => {
    const now = { mirror: mirror.getState(), view: view.getState() }
    const known = last.current
    if (known && known.mirror === now.mirror && known.view === now.view && known.selector === selector)
      return known.value
    const fresh = selector(now.mirror, now.view)
    const value = known && equal(known.value, fresh) ? known.value : fresh
    last.current = { ...now, selector, value }
    return value
  })
}

/** What `Copy Details` copies: made when it is pressed, with the log as it is then. */
export function useErrorReport(): (failure: ReportedFailure) => string {
  const { mirror } = useReprise()
  return (failure) => errorReport(failure, mirror.getState().app, mirror.getState().log)
}

/** Looks again for network interfaces while the form for a stream waits for one: a cable may be plugged in, a network joined. */
import type { Clock } from './clock.ts'
import type { MirrorStore } from './engine-mirror.ts'
import type { ViewStore } from './view-state.ts'

const betweenMs = 3000

export interface WatchInterfacesDeps {
  readonly mirror: MirrorStore
  readonly view: ViewStore
  readonly clock: Clock
  /** Asks once; what comes of it is in the view. */
  readonly look: () => Promise<void>
}

/** Returns the function that ends it. */
export function watchInterfaces({ mirror, view, clock, look }: WatchInterfacesDeps): () => void {
  /** Between two looks, or during one. */
  let waiting: { readonly cancel: () => void } | null = null

  const isWanted = () => {
    const { tab, server } = view.getState()
    const { connection, engine } = mirror.getState()
    const isAnswered = connection.state === 'open' && engine.state === 'ready'
    return isAnswered && tab === 'multicast' && server.shown === null && server.interfaces?.length === 0
  }

  const stop = () => {
    waiting?.cancel()
    waiting = null
  }

  const follow = () => {
    if (!isWanted()) stop()
    else waiting ??= { cancel: clock.after(betweenMs, () => void again()) }
  }

  const again = async () => {
    const asked = waiting
    await look()
    // The tab was left meanwhile, and may have been entered again: that is another wait.
    if (waiting !== asked) return
    waiting = null
    follow()
  }

  const ends = [mirror.subscribe(follow), view.subscribe(follow)]
  return () => {
    stop()
    for (const end of ends) end()
  }
}

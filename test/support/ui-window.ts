/** The window's state on a double, without a page: a test moves the double and the clock, and looks at the stores. */
import { createUiDouble, type UiDouble } from './ui-double.ts'
import { card, practiceDisk, practiceImage, sandisk, smallStick, systemImage } from './ui-fixtures.ts'
import {
  createReprise,
  type Clock,
  type FileAccess,
  type Memory,
  type Reprise,
} from '#src/renderer/store/index.ts'

export interface TestClock extends Clock {
  advance(ms: number): void
  /** The computer sleeps: timers know nothing of that time. */
  sleep(ms: number): void
}

export function testClock(): TestClock {
  let now = 1_000_000
  let timers: { readonly id: object; readonly at: number; readonly run: () => void }[] = []
  return {
    now: () => now,
    after(delayMs, run) {
      const timer = { id: {}, at: now + delayMs, run }
      timers.push(timer)
      return () => void (timers = timers.filter((other) => other.id !== timer.id))
    },
    sleep(ms) {
      now += ms
      timers = timers.map((timer) => ({ ...timer, at: timer.at + ms }))
    },
    advance(ms) {
      now += ms
      const due = timers.filter((timer) => timer.at <= now)
      timers = timers.filter((timer) => timer.at > now)
      for (const timer of due.sort((a, b) => a.at - b.at)) timer.run()
    },
  }
}

/** Lets everything happen that needs no more time. */
export const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

/** What a browser keeps of a page for its tab. */
export function tabMemory(text: string | null = null) {
  const memory = {
    text,
    read: () => memory.text,
    write: (now: string) => void (memory.text = now),
  }
  return memory
}

export interface TestWindow extends Disposable {
  readonly reprise: Reprise
  readonly double: UiDouble
  readonly clock: TestClock
  /** Waits out the planner's pause, and the answer. */
  planned(): Promise<void>
}

export async function openWindow(
  options: {
    readonly double?: UiDouble
    readonly files?: Partial<FileAccess>
    readonly memory?: Memory
  } = {},
): Promise<TestWindow> {
  const double =
    options.double ??
    createUiDouble({
      devices: [sandisk, smallStick, card, practiceDisk],
      images: [practiceImage, systemImage],
    })
  const clock = testClock()
  const reprise = createReprise({
    connect: double.connect,
    clock,
    files: { pathForFile: null, sha256: async () => 'a'.repeat(64), ...options.files },
    memory: options.memory ?? null,
  })
  await settle()
  return {
    reprise,
    double,
    clock,
    async planned() {
      await settle()
      clock.advance(100)
      await settle()
    },
    [Symbol.dispose]: () => reprise.dispose(),
  }
}

/** Both wells filled and the tick set, with a plan. */
export async function readyWindow(): Promise<TestWindow> {
  const window = await openWindow()
  const { actions } = window.reprise
  await actions.chooseSourceFile(systemImage.path)
  actions.chooseDestination('disk:/dev/sdb')
  actions.setOption('erase', true)
  await window.planned()
  return window
}

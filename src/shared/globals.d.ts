/** The one platform type that `shared` names; Node and the DOM both bring the whole of it. */
declare global {
  interface AbortSignal {
    readonly aborted: boolean
  }
}
export {}

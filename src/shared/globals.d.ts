/** The platform types that `shared` names; Node and the DOM both bring the whole of them. */
declare global {
  interface AbortSignal {
    readonly aborted: boolean
    readonly reason: unknown
    addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void
    removeEventListener(type: 'abort', listener: () => void): void
  }
  interface AbortController {
    readonly signal: AbortSignal
    abort(reason?: unknown): void
  }
  var AbortController: { new (): AbortController }
  interface TextEncoder {
    encode(text: string): Uint8Array
  }
  var TextEncoder: { new (): TextEncoder }
}
export {}

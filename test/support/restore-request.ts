import type { Buffering, RestoreRequest } from '#shared/model'

/** Nobody said how large the pool is to be. */
export const noBuffering: Buffering = {
  buffers: null,
  bufferBytes: null,
  csumBuffers: null,
  csumBufferBytes: null,
}

/** A restore that erases and verifies, with `change` made to it; source and target are always the test's own. */
export function restoreRequest(
  change: Pick<RestoreRequest, 'source' | 'target'> & Partial<RestoreRequest>,
): RestoreRequest {
  return {
    erase: true,
    verify: true,
    clearUnused: false,
    changedOnly: false,
    afterwards: 'remount',
    timeoutMs: 0,
    form: 'contents',
    buffering: noBuffering,
    ...change,
  }
}

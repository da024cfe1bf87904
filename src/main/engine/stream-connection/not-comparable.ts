import { UsageError } from '#shared/errors'

/** Why a stream can't be restored by its changed blocks only, onto whatever. */
export const notComparable = (locator: string) =>
  new UsageError('E_UNSUPPORTED', `changed blocks only, of the stream ${locator}`, {
    details: {
      input: 'changed-only',
      problem: "A multicast stream can't be compared with the destination first: it brings the whole image.",
      hint: 'Restore without --changed-only.',
    },
  })

/** Where the worker's program is: beside this file as TypeScript, or beside the bundle it was built into. */
export function workerLocation(moduleUrl: string = import.meta.url): URL {
  // Put together at run time, so that no bundler takes it for an asset of its own.
  const extension = moduleUrl.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`hash-worker.${extension}`, moduleUrl)
}

/**
 * Where the program of a thread is: beside the module that starts it, at `moduleUrl`, as TypeScript, or beside the bundle that
 * module was built into.
 */
export function workerLocation(name: string, moduleUrl: string): URL {
  // Put together at run time, so that no bundler takes it for an asset of its own.
  const extension = moduleUrl.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`${name}.${extension}`, moduleUrl)
}

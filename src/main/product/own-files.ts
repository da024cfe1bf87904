/**
 * Where the running program lies: Node or Electron, its own folder, and the file of an AppImage, which is shown as a
 * folder of its own while it runs. The disk that holds one of them can't be erased under it.
 */
export function ownFiles({
  execPath,
  env,
}: Pick<NodeJS.Process, 'execPath' | 'env'> = process): readonly string[] {
  const image = env['APPIMAGE']
  // Anybody can set it, and only to have one disk more protected.
  return [execPath, import.meta.dirname, ...(image?.startsWith('/') === true ? [image] : [])]
}

/** How keys are written where the window runs. */
export const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** `⌥↑` on a Mac, `Alt+↑` elsewhere. */
export const withAlt = (key: string): string => (isMac ? `⌥${key}` : `Alt+${key}`)

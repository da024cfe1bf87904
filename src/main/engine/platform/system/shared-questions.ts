/**
 * Questions to the system that may stay open for long: each keeps one of the few threads that this process has for files. So each is asked
 * once, and whoever asks the same while it is open gets its answer.
 */
export function sharedQuestions<Answer>(
  ask: (path: string) => Promise<Answer>,
): (path: string) => Promise<Answer> {
  const open = new Map<string, Promise<Answer>>()
  const begin = (path: string) => {
    const question = ask(path).finally(() => open.delete(path))
    open.set(path, question)
    return question
  }
  return (path) => open.get(path) ?? begin(path)
}

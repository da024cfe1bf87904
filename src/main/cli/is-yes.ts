/** What was answered to a question that ends with `[ny]`. Null, the end of the input, isn't a yes. */
export const isYes = (answer: string | null): boolean => answer !== null && /^\s*y(es)?\s*$/i.test(answer)

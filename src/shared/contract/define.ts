/**
 * What a contract between two processes is: requests with an answer, and events that carry current state. A contract is
 * one literal; clients, servers, the preload and test doubles derive from it.
 */
import type { z } from 'zod'

declare const outType: unique symbol

/** A request: its argument is checked at run time by whoever serves it; its answer is typed only. */
export interface RequestEntry<In extends z.ZodType, Out> {
  readonly in: In
  readonly [outType]?: Out
}

/** An event: the sender is the more trusted side, so it is typed only. */
export interface EventEntry<Payload> {
  readonly [outType]?: Payload
}

export interface Contract {
  readonly request: { readonly [name: string]: RequestEntry<z.ZodType, unknown> }
  readonly event: { readonly [name: string]: EventEntry<unknown> }
}

/** `request(schema)<Answer>()`. */
export const request =
  <In extends z.ZodType>(schema: In) =>
  <Out>(): RequestEntry<In, Out> => ({ in: schema })

export const event = <Payload>(): EventEntry<Payload> => ({})

export type RequestName<C extends Contract> = keyof C['request'] & string
export type EventName<C extends Contract> = keyof C['event'] & string
export type RequestIn<C extends Contract, N extends RequestName<C>> = z.infer<C['request'][N]['in']>
export type RequestOut<C extends Contract, N extends RequestName<C>> =
  C['request'][N] extends RequestEntry<z.ZodType, infer Out> ? Out : never
export type EventPayload<C extends Contract, N extends EventName<C>> =
  C['event'][N] extends EventEntry<infer Payload> ? Payload : never

/**
 * What serves a contract. A handler's promise settles only when the work has really stopped; `signal` aborts when the
 * caller gave up or went away.
 */
export type Handlers<C extends Contract> = {
  readonly [N in RequestName<C>]: (input: RequestIn<C, N>, signal: AbortSignal) => Promise<RequestOut<C, N>>
}

/** What calls a contract. `request` rejects with one of our errors, made whole again on this side. */
export interface Client<C extends Contract> {
  request<N extends RequestName<C>>(
    name: N,
    input: RequestIn<C, N>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<RequestOut<C, N>>
  /** Returns the function that ends the subscription. */
  subscribe<N extends EventName<C>>(name: N, listener: (payload: EventPayload<C, N>) => void): () => void
}

/** What a handler of a route gets and gives. */
import type { Readable } from 'node:stream';
import type { AnswerOf, BodyOf, ParamsOf, QueryOf, RouteId } from '../../proto/api/v1/routes.ts';

export interface Input<Id extends RouteId> {
  readonly params: ParamsOf<Id>;
  readonly query: QueryOf<Id>;
  readonly body: BodyOf<Id>;
  /** Aborts when the client goes. */
  readonly signal: AbortSignal;
}

/** A long answer may be a stream of JSON text. */
export type Handlers<Ids extends RouteId = RouteId> = {
  readonly [Id in Ids]: (input: Input<Id>) => Promise<AnswerOf<Id> | Readable>;
};

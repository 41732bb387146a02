import {answerTo, inputUsage} from './answer.ts';
import {inputCharsOf} from './anthropic.ts';
import {type Behaviour, behaviourOf} from './behaviour.ts';
import {Refusal} from './dialect.ts';
import {embeddings} from './embeddings.ts';
import {type Exchange, pause} from './exchange.ts';
import {type Fields, fieldsOf, parsed, stringOf} from './json.ts';
import {moderations} from './moderations.ts';
import {type Addressed, sendJson, sendStream, sendWhole} from './reply.ts';
import type {ReceivedRequest, RequestLog} from './request-log.ts';

export type State = {
	log: RequestLog;
	/** The `fault-once-…` models whose first request is over. */
	failedOnce: Set<string>;
};

const listedModels = ['small', 'large', 'embed', 'echo', 'cached', 'words-50', 'chars'];

const bodyOf = ({body}: ReceivedRequest): Fields => {
	const value = parsed(body);
	if (typeof value === 'object' && value !== null) return fieldsOf(value);
	throw new Refusal(400, 'invalid', 'We could not parse the JSON body of your request.');
};

/** What the model is to do, after the refusals, delays and resets that come before any answer; undefined when those ended the exchange. */
const behaviourFor = async (model: string, {gone, cut}: Exchange, {log, failedOnce}: State): Promise<Behaviour | undefined> => {
	if (!model) throw new Refusal(400, 'invalid', 'model: Field required');
	log.asked(model);
	const behaviour = behaviourOf(model);
	if (!behaviour) throw new Refusal(404, 'model-unknown', model);
	if (behaviour.firstByteMs > 0) await pause(behaviour.firstByteMs, gone);
	if (gone.aborted) return undefined;
	if (behaviour.breaks?.afterChunks === 0) {
		cut();
		return undefined;
	}

	const {refusal} = behaviour;
	if (!refusal || (refusal.once && failedOnce.has(model))) return behaviour;
	if (refusal.once) failedOnce.add(model);
	throw new Refusal(refusal.status, 'injected', model, refusal.retryAfterSeconds);
};

const generate = async (addressed: Addressed, state: State): Promise<void> => {
	const {exchange, dialect, longestMs} = addressed;
	const question = dialect.question(bodyOf(exchange.request));
	const behaviour = await behaviourFor(question.model, exchange, state);
	if (!behaviour) return;

	const answer = answerTo(question, behaviour, exchange.request.headers);
	if (question.stream) return sendStream({...addressed, behaviour}, dialect.frames(question, answer));
	if (behaviour.speech.kind !== 'endless') return sendWhole({...addressed, behaviour}, dialect.whole(question, answer));
	await pause(longestMs, exchange.gone);
	exchange.cut();
};

const embed = async (addressed: Addressed, state: State): Promise<void> => {
	const body = bodyOf(addressed.exchange.request);
	const behaviour = await behaviourFor(stringOf(body.model), addressed.exchange, state);
	if (behaviour) await sendWhole({...addressed, behaviour}, embeddings(body, behaviour));
};

const moderate = async (addressed: Addressed, state: State): Promise<void> => {
	const body = bodyOf(addressed.exchange.request);
	const behaviour = await behaviourFor(stringOf(body.model), addressed.exchange, state);
	if (behaviour) await sendWhole({...addressed, behaviour}, moderations(body));
};

const countTokens = async (addressed: Addressed, state: State): Promise<void> => {
	const body = bodyOf(addressed.exchange.request);
	const behaviour = await behaviourFor(stringOf(body.model), addressed.exchange, state);
	const {input} = inputUsage(inputCharsOf(body), false);
	if (behaviour) await sendWhole({...addressed, behaviour}, {input_tokens: input});
};

const modelIn = (path: string): string => {
	try {
		return decodeURIComponent(path);
	} catch (error) {
		if (error instanceof URIError) throw new Refusal(404, 'model-unknown', path);
		throw error;
	}
};

const showModel = ({exchange, dialect, requestId}: Addressed, id: string): void => {
	if (!behaviourOf(id)) throw new Refusal(404, 'model-unknown', id);
	sendJson(exchange, 200, dialect.model(id), {[dialect.requestIdHeader]: requestId});
};

/** Answers one request that brought a key. */
export const route = async (addressed: Addressed, path: string, state: State): Promise<void> => {
	const {exchange, dialect, requestId} = addressed;
	const asked = `${exchange.request.method} ${path}`;
	switch (asked) {
		case 'POST /v1/chat/completions':
		case 'POST /v1/messages':
			return generate(addressed, state);
		case 'POST /v1/embeddings':
			return embed(addressed, state);
		case 'POST /v1/moderations':
			return moderate(addressed, state);
		case 'POST /v1/messages/count_tokens':
			return countTokens(addressed, state);
		case 'GET /v1/models':
			return sendJson(exchange, 200, dialect.models(listedModels), {[dialect.requestIdHeader]: requestId});
		default:
			if (asked.startsWith('GET /v1/models/')) return showModel(addressed, modelIn(path.slice('/v1/models/'.length)));
			throw new Refusal(404, 'path-unknown', asked);
	}
};

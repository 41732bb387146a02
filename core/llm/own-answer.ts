import type {Usage} from '../../schemas/usage.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import {beforeReply} from './after.ts';
import type {Asked} from './asked.ts';
import type {JsonObject} from './json.ts';
import type {ReplyParts} from './reply.ts';
import {patchText, replyTextOf} from './text.ts';

type Answer = NonNullable<Asked['answer']>;

const nothingUsed: Usage = {
	inputTokens: 0,
	cacheReadTokens: 0,
	cacheWriteTokens: 0,
	outputTokens: 0,
	reasoningTokens: 0,
	source: 'reported',
};

/** A plugin's text as post-response leaves it. */
const guardedText = async (gateway: Gateway, exchange: Exchange, text: string): Promise<string> => {
	let guarded = text;
	await beforeReply(gateway, exchange, {text: () => [guarded]}, patch => {
		guarded = patch.text?.['0'] ?? guarded;
	});
	return guarded;
};

/** `body` is this exchange's own: verdicts are remembered, and what guards take out of one answer must not be missing in the next. */
const guardedBody = async (gateway: Gateway, exchange: Exchange, body: JsonObject): Promise<JsonObject> => {
	const found = replyTextOf(body);
	await beforeReply(gateway, exchange, {text: () => found.strings}, patch => {
		if (patch.text) patchText(found, patch.text);
	});
	return body;
};

/** Answers in the upstream's place, as a plugin said; what it says passes post-response like any other reply. */
export const answerItself = async (gateway: Gateway, exchange: Exchange, asked: Asked, answer: Answer): Promise<ReplyParts> => {
	exchange.costMicroUsd = 0;
	const reply = await rendered(gateway, exchange, asked, answer);
	exchange.outcome = 'ok';
	exchange.status = 200;
	return reply;
};

const rendered = async (gateway: Gateway, exchange: Exchange, {dialect, facts}: Asked, answer: Answer): Promise<ReplyParts> => {
	const headers = {'content-type': 'application/json'};
	if ('body' in answer)
		return {status: 200, headers, body: JSON.stringify(await guardedBody(gateway, exchange, structuredClone(answer.body) as JsonObject))};

	const own = {model: facts.model, exchangeId: exchange.id, at: exchange.at, text: await guardedText(gateway, exchange, answer.text)};
	if (!facts.stream) return {status: 200, headers, body: JSON.stringify(dialect.textReply({...own, usage: nothingUsed}))};

	return {
		status: 200,
		headers: {'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache'},
		body: dialect.textStream(own).join(''),
	};
};

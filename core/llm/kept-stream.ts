import type {Channel} from '../../schemas/verdict.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import {payloadChars, type Words} from '../payload.ts';
import {sseParser} from '../upstream/sse.ts';
import {channelOfDelta} from './channels.ts';
import type {Dialect} from './dialects/dialect.ts';
import {isObject} from './json.ts';
import {parseJson} from './parse.ts';

/** The words of a stream as the client gets them; undefined when they are more than is kept. */
export type KeptStream = {see(sent: Buffer | string): void; words(): Words | undefined};

const parsed = (data: string): unknown => {
	try {
		return parseJson(data);
	} catch {
		// It has no words that anybody could find.
		return undefined;
	}
};

/** Undefined where nothing is kept. */
export const keepStream = (gateway: Pick<Gateway, 'config'>, {payload}: Exchange, dialect: Dialect): KeptStream | undefined => {
	if (!payload) return undefined;
	const most = payloadChars(gateway);
	const texts = new Map<string, string>();
	let chars = 0;
	const take = (data: string): void => {
		if (data === '[DONE]') return;
		const json = parsed(data);
		if (!isObject(json)) return;
		for (const {channel, text} of dialect.deltasOf(json)) {
			chars += text.length;
			texts.set(channel, (texts.get(channel) ?? '') + text);
		}
	};
	const parser = sseParser(({data}) => {
		if (chars <= most) take(data);
	});
	return {
		see: sent => parser.push(typeof sent === 'string' ? Buffer.from(sent) : sent),
		words() {
			if (chars > most) return undefined;
			const channels: Channel[] = [...texts.keys()].map(channelOfDelta);
			return {text: [...texts.values()], channels};
		},
	};
};

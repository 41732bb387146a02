import type {GatewayConfig} from '../../schemas/config.ts';
import type {ToolPrice as Configured} from '../../schemas/price.ts';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {JsonObject} from '../llm/json.ts';
import {microUsd, picoUsd, sumOf, timesPico} from '../llm/price-sums.ts';
import {RpcError} from './rpc.ts';

/** In whole pico-dollars (10⁻¹² US dollars) for a call, and for each byte of its result. */
type Price = {call: number; byte: number /** Left out, the largest message of its server. */; mostBytes?: number};

export type ToolPrices = {
	/** The most a call of this tool can cost, in whole micro-dollars; undefined when no price is known. */
	most(server: string | undefined, tool: string): number | undefined;
	/**
	 * Makes the call, and notes on the exchange what it cost: its price and that of the result's bytes; nothing where the server answered with
	 * an error, or was not reached; the price alone where it may have been carried out and nothing came back. Rejects as the call does, and with
	 * `upstream_too_large` for a result that is larger than what was paid for.
	 */
	charged(exchange: Exchange, call: () => Promise<JsonObject>): Promise<JsonObject>;
};

const bytesPerMB = 1e6;

const compiled = ({usdPerCall, usdPerMB, mostMB}: Configured): Price => ({
	call: picoUsd(usdPerCall * 1e6),
	byte: picoUsd(usdPerMB),
	...(mostMB !== undefined && {mostBytes: Math.round(mostMB * bytesPerMB)}),
});

const free: Price = {call: 0, byte: 0};

const costOf = ({call, byte}: Price, bytes: number): number =>
	microUsd(byte === 0 ? timesPico(sumOf(), 1, call) : timesPico(timesPico(sumOf(), 1, call), bytes, byte));

/** Of a call that was not sent, and of one that the server refused, nobody has had anything. */
const neverMade = new Set(['upstream_unreachable', 'upstream_refused', 'upstream_rate_limited', 'journal_unavailable']);

const isFree = (thrown: unknown): boolean => thrown instanceof RpcError || (thrown instanceof GatewayError && neverMade.has(thrown.code));

type Prices = Pick<GatewayConfig, 'toolPrices'> & {
	mcp: Pick<GatewayConfig['mcp'], 'unpriced'>;
	limits: Pick<GatewayConfig['limits'], 'replyMb'>;
	servers: Readonly<Record<string, {resultMb: number}>>;
};

/** The prices of the config: a tool's own, else that of the longest pattern that fits. */
export const openToolPrices = ({toolPrices, mcp: {unpriced}, limits: {replyMb}, servers}: Prices): ToolPrices => {
	const entries = Object.entries(toolPrices).map(([name, price]) => [name, compiled(price)] as const);
	const exact = new Map(entries.filter(([name]) => !name.endsWith('*')));
	const patterns = entries
		.filter(([name]) => name.endsWith('*'))
		.map(([name, price]) => ({start: name.slice(0, -1), price}))
		.sort((one, other) => other.start.length - one.start.length);
	const otherwise = unpriced === 'free' ? free : undefined;

	const priceOf = (server: string | undefined, tool: string): Price | undefined => {
		const name = `${server}/${tool}`;
		return exact.get(name) ?? patterns.find(({start}) => name.startsWith(start))?.price ?? otherwise;
	};

	const mostBytesOf = (server: string | undefined, {mostBytes}: Price): number =>
		mostBytes ?? Math.floor(Math.min(replyMb, servers[server ?? '']?.resultMb ?? replyMb) * 1_048_576);

	return {
		most(server, tool) {
			const price = priceOf(server, tool);
			return price && costOf(price, price.byte === 0 ? 0 : mostBytesOf(server, price));
		},

		async charged(exchange, call) {
			const {server, tool = ''} = exchange;
			const price = priceOf(server, tool);
			let result: JsonObject;
			try {
				result = await call();
			} catch (thrown) {
				if (isFree(thrown)) exchange.costMicroUsd = 0;
				else if (price) exchange.costMicroUsd = costOf(price, 0);
				throw thrown;
			}
			// A round of questions is no result yet: the call comes back with the answers.
			if (result.resultType === 'input_required') {
				exchange.costMicroUsd = 0;
				return result;
			}
			if (!price) return result;
			const bytes = price.byte === 0 ? 0 : Buffer.byteLength(JSON.stringify(result));
			const mostBytes = mostBytesOf(server, price);
			exchange.costMicroUsd = costOf(price, Math.min(bytes, mostBytes));
			if (bytes > mostBytes)
				throw new GatewayError('upstream_too_large', `The result of the tool "${tool.slice(0, 200)}" is larger than its price allows for.`);
			return result;
		},
	};
};

import type {ExecutionContext} from 'ava';
import {openEffects} from '../../core/effects.ts';
import {type Exchange, openExchange} from '../../core/exchange.ts';
import {openFindings} from '../../core/findings.ts';
import {type Carry, type Hooks, type Member, openHooks} from '../../core/hooks.ts';
import type {Ledger} from '../../core/ledger/ledger.ts';
import {openLedger} from '../../core/ledger/open.ts';
import type {Value} from '../../core/sandbox/isolate.ts';
import {openSteady} from '../../core/steady.ts';
import type {HookName} from '../../schemas/hooks.ts';
import type {RecordedFinding} from '../../schemas/record.ts';
import {type InlineWorld, inlineWorld, type Source} from './inline-world.ts';

export type Seated = Source & Partial<Pick<Member, 'mode' | 'when' | 'onFailure'>>;

export type HookEngine = {
	hooks: Hooks;
	world: InlineWorld;
	ledger: Ledger;
	failures: string[];
	/** Every finding that was counted. */
	counted: RecordedFinding[];
	/** What the host goes by when it remembers whom a plugin identified. */
	clock: {now: number};
	exchange(known?: Partial<Exchange>): Exchange;
	/** What was carried, as `plugin verdict`; rewrites of `model` and tags are seen by those behind. */
	ask(hook: HookName, exchange: Exchange, fields?: Record<string, Value>): Promise<string[]>;
};

/** The real hook engine over the real inline tier, ledger and effects; closed with the test. */
export const hookEngine = async (t: ExecutionContext, seated: readonly Seated[]): Promise<HookEngine> => {
	const world = await inlineWorld(t, seated);
	const ledger = await openLedger({store: world.store});
	t.teardown(() => ledger.close());
	const failures: string[] = [];
	const counted: RecordedFinding[] = [];
	const members = world.plugins.map((plugin, index): Member => {
		const {mode = 'enforce', when, onFailure = 'deny'} = seated[index]!;
		return {plugin, tier: world.tier, mode, when, onFailure};
	});
	const carryOut = openEffects({
		ledger,
		kv: world.kv,
		once: world.store.once,
		now: Date.now,
		onLost: () => t.fail('what a plugin put was lost'),
	});
	const clock = {now: Date.now()};
	const steady = openSteady(() => clock.now);
	world.kv.onChange(steady.forget);
	const hooks = openHooks({
		steady,
		members,
		carryOut,
		noteFindings: openFindings({secret: 'of this test', count: finding => void counted.push(finding)}),
		onFailed: (_, plugin, hook, reason) => void failures.push(`${plugin} ${hook} ${reason}`),
	});
	return {
		hooks,
		world,
		ledger,
		failures,
		counted,
		clock,
		exchange: known =>
			Object.assign(openExchange({method: 'POST', path: '/v1/chat/completions', ip: '127.0.0.1', surface: 'openai'}), known),
		async ask(hook, exchange, fields = {}) {
			const carried: string[] = [];
			const known: Record<string, () => Value> = {model: () => exchange.model, tags: () => JSON.stringify(exchange.tags)};
			const carry: Carry<HookName> = (verdict, {plugin}) => {
				carried.push(`${plugin.name} ${verdict.verdict}`);
				if (verdict.verdict === 'rewrite' && 'model' in verdict.patch && verdict.patch.model) exchange.model = verdict.patch.model;
				return verdict.verdict === 'identify' || verdict.verdict === 'respond' ? 'end' : undefined;
			};
			const value = (path: string): Value => {
				if (path.startsWith('carried@')) return exchange.carried.get(path.slice('carried@'.length));
				return path in fields ? fields[path] : known[path]?.();
			};
			await hooks.ask(hook, exchange, value, carry);
			return carried;
		},
	};
};

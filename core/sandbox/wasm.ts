import {createPlugin, type Plugin} from '@extism/extism';
import type {Guest} from '../plugins/host/frames.ts';
import {failed, type Home} from '../plugins/host/home.ts';
import type {Lender, Loaded} from './isolate.ts';
import {hostFunctions} from './wasm-host.ts';
import {type Field, inputOf} from './wasm-input.ts';
import {capMemory} from './wasm-memory.ts';

type Instance = {plugin: Plugin; call(name: string, input: string): Promise<string>};
type Options = {
	lender: Lender;
	/** While held, whatever runs is on account of the call at hand. */
	hold(): () => void;
};

const pagesPerMb = 16;
const varBytes = 1_000_000;
/** Instances of one module that wait for a host call at the same time; more calls queue. */
const mostInstances = 8;

const ours = 'sallyport';
const exported = (hook: string): string => hook.replaceAll('-', '_');
const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : 'trapped').slice(0, 300);
const refusesFetch = () => Promise.reject(new Error('use the host function http_fetch'));

/**
 * A WebAssembly module (Extism) in this thread, spoken to as a guest is: JSON in, a verdict as JSON out. Nothing here can
 * stop a module that loops; whoever supervises this process does.
 */
export const wasmHome = ({name, code, setup, limits}: Guest, {lender, hold}: Options): Home => {
	const {config, hooks, answerChars} = JSON.parse(setup) as {config: unknown; hooks: Record<string, Field[]>; answerChars: number};
	const maxPages = limits.memoryMb * pagesPerMb;
	const answerBytes = answerChars * 3;
	const idle: Instance[] = [];
	const queue: ((instance: Instance) => void)[] = [];
	let alive = 0;
	let compiled: WebAssembly.Module | undefined;

	const decode = (bytes: Uint8Array): string => {
		if (bytes.byteLength > answerBytes) throw new Error('answered with more than limits.answerChars');
		const text = new TextDecoder().decode(bytes);
		if (text.length > answerChars) throw new Error('answered with more than limits.answerChars');
		return text;
	};

	const open = async (): Promise<Instance> => {
		compiled ??= new WebAssembly.Module(capMemory(Buffer.from(code, 'base64'), maxPages));
		const imports = WebAssembly.Module.imports(compiled);
		let input = new Uint8Array();
		let output: Uint8Array | undefined;
		let memory: WebAssembly.Memory | undefined;
		// Whole copies in and out: Extism's own functions move eight bytes at a time.
		const copies = {
			input_length: () => input.byteLength,
			read_input: (_context: unknown, address: number) => new Uint8Array(memory!.buffer).set(input, address >>> 0),
			write_output: (_context: unknown, address: number, length: number) => {
				output = new Uint8Array(memory!.buffer, address >>> 0, length >>> 0).slice(0, answerBytes + 1);
			},
		};
		const plugin = await createPlugin(compiled, {
			functions: {
				[ours]: copies,
				'extism:host/user': hostFunctions(lender, new Set(imports.map(({name: wanted}) => wanted))),
			},
			fetch: refusesFetch,
			memory: {maxPages, maxVarBytes: varBytes},
			logLevel: 'silent',
		});
		const {exports} = await plugin.getInstance();
		memory = exports.memory instanceof WebAssembly.Memory ? exports.memory : undefined;
		return {
			plugin,
			async call(entry, text) {
				// Exactly these bytes: a view of a larger buffer would hand over its neighbours.
				input = new TextEncoder().encode(text).slice();
				output = undefined;
				const block = await plugin.call(entry, input);
				return decode(output ?? block?.bytes() ?? new Uint8Array());
			},
		};
	};

	const configured = async (): Promise<{instance: Instance; issues: Loaded['issues']}> => {
		const instance = await open();
		const answer = (await instance.plugin.functionExists('configure')) ? await instance.call('configure', JSON.stringify(config)) : '';
		const {issues = []} = answer === '' ? {} : (JSON.parse(answer) as {issues?: Loaded['issues']});
		if (!Array.isArray(issues)) throw new Error('configure answered with something that is not {issues: […]}');
		return {instance, issues: issues.map(({path, message}) => ({path: [path ?? []].flat().map(String), message: String(message)}))};
	};

	const done = (instance: Instance, broken: boolean): void => {
		if (broken) {
			alive--;
			const next = queue.shift();
			if (next) void take().then(next);
			return;
		}
		const next = queue.shift();
		if (next) next(instance);
		else idle.push(instance);
	};

	const take = async (): Promise<Instance> => {
		const known = idle.pop();
		if (known) return known;
		if (alive >= mostInstances) return new Promise(resolve => queue.push(resolve));
		alive++;
		const release = hold();
		try {
			const {instance, issues} = await configured();
			if (issues.length > 0) throw new Error('does not accept its config');
			return instance;
		} catch (error) {
			alive--;
			throw error;
		} finally {
			// By then whoever waits has entered: promise jobs run before the immediate that looks again.
			release();
		}
	};

	const entered = async (entry: string, input: string, text: (output: string) => string): Promise<string> => {
		let instance: Instance | undefined;
		let broken = false;
		try {
			instance = await take();
			return text(await instance.call(entry, input));
		} catch (error) {
			const words = wordsOf(error);
			// After a trap nobody knows what its memory is worth.
			broken = !words.startsWith('Plugin-originated error');
			return failed(words);
		} finally {
			if (instance) done(instance, broken);
		}
	};

	const verdictText = (output: string): string => {
		if (output === '' || output === 'null') return '';
		const verdict = JSON.parse(output) as {verdict?: unknown; tag?: unknown; claim?: unknown; findings?: unknown} | null;
		if (typeof verdict !== 'object' || verdict === null) throw new Error('answered with something that is not a verdict');
		const json = JSON.stringify(verdict);
		if (json === '{"verdict":"allow"}') return '';
		// As in the guest: the plugins behind are asked when a tag or findings are known.
		const letsPass =
			verdict.verdict === 'allow' && verdict.tag === undefined && verdict.claim === undefined && verdict.findings === undefined;
		return (letsPass ? 'A' : 'S') + json;
	};
	const actionText = (output: string): string => `V${output === '' ? 'null' : JSON.stringify(JSON.parse(output))}`;

	return {
		async load() {
			try {
				const {instance, issues} = await configured();
				alive++;
				idle.push(instance);
				const missing = Object.keys(hooks).filter(
					hook => typeof WebAssembly.Module.exports(compiled!).find(({name: own}) => own === exported(hook)) === 'undefined',
				);
				if (missing.length > 0) return {failure: `plugin.wasm of ${name} does not export ${missing.map(exported).join(', ')}`};
				return {hooks: Object.keys(hooks), actions: {}, issues};
			} catch (error) {
				return {failure: wordsOf(error)};
			}
		},
		enter(hook, values, settled) {
			void entered(exported(hook), inputOf(hooks[hook]!, values), verdictText).then(settled);
			return 'P';
		},
		act(action, input, caller, settled) {
			void entered('action', `{"action":${JSON.stringify(action)},"input":${input},"caller":${caller}}`, actionText).then(settled);
			return 'P';
		},
		abandoned() {
			// It is suspended in a host call, which has a deadline of its own.
		},
	};
};

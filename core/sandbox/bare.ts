import {call, defineProperty, getOwnPropertyDescriptor, NativeError} from './intrinsics.ts';

/**
 * Takes out of a plugin's realm what would let it act outside of an entry (wasm and finalizers run on other threads, where no
 * limit looks), know what it did not borrow (time, randomness), or run what nobody read before it was trusted (code made of
 * strings, which V8 would refuse at some entries and not at others). Runs before any code of the plugin does.
 */
const outside = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef'];

const {construct, getPrototypeOf} = Reflect;

const borrowed = (what: string, capability: string, name: string) =>
	new NativeError(`${what} is not here: name "${capability}" in the manifest's "capabilities" and use host.${name}`);

const hide = (holder: object, name: string, value: unknown): void => {
	defineProperty(holder, name, {value, writable: true, enumerable: false, configurable: true});
};

/** `new Date(moment)` stays; the moment has to come from somewhere else. */
const timeless = (): void => {
	const NativeDate = Date;
	const noClock = () => borrowed('The time', 'clock', 'clock.now()');
	const Timeless = function (...parts: unknown[]) {
		if (new.target === undefined || parts.length === 0) throw noClock();
		return construct(NativeDate, parts, new.target);
	};
	hide(Timeless, 'name', 'Date');
	for (const name of ['parse', 'UTC'] as const) hide(Timeless, name, NativeDate[name]);
	hide(Timeless, 'now', () => {
		throw noClock();
	});
	defineProperty(Timeless, 'prototype', {value: NativeDate.prototype, writable: false});
	hide(NativeDate.prototype, 'constructor', Timeless);
	hide(globalThis, 'Date', Timeless);

	const formats = Intl.DateTimeFormat.prototype;
	const boundFormat = getOwnPropertyDescriptor(formats, 'format')!.get;
	const {formatToParts} = formats;
	defineProperty(formats, 'format', {
		get() {
			const format = call(boundFormat, this) as (date: unknown) => string;
			return (date: unknown) => {
				if (date === undefined) throw noClock();
				return format(date);
			};
		},
	});
	hide(formats, 'formatToParts', function (this: unknown, date: unknown) {
		if (date === undefined) throw noClock();
		return call(formatToParts, this, date);
	});
};

const codeless = (): void => {
	const refuse = () => {
		throw new NativeError('code cannot be made of strings here');
	};
	const kinds = [() => undefined, async () => undefined, function* () {}, async function* () {}];
	for (const kind of kinds) {
		const prototype = getPrototypeOf(kind) as object;
		const stub = refuse.bind(undefined);
		defineProperty(stub, 'prototype', {value: prototype});
		defineProperty(prototype, 'constructor', {value: stub, writable: false, configurable: false});
		if (prototype === Function.prototype) hide(globalThis, 'Function', stub);
	}
	hide(globalThis, 'eval', refuse);
};

export const makeBare = (): void => {
	for (const name of outside) delete (globalThis as Record<string, unknown>)[name];
	timeless();
	codeless();
	hide(Math, 'random', () => {
		throw borrowed('Math.random', 'random', 'random.number()');
	});
	// A loop in `prepareStackTrace` would run while an error is copied, outside every limit.
	defineProperty(Error, 'prepareStackTrace', {value: undefined, writable: false, configurable: false});
};

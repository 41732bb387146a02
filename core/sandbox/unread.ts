import {create, defineProperty, keys, NativeError, NativeProxy, objectPrototype} from './intrinsics.ts';

/**
 * What a plugin does not read of a hook that it listens to: whole fields, and of the fields it reads some of, the other names; `true` where
 * nobody knows them all.
 */
export type Unread = {fields: string[]; parts: Record<string, string[] | true>};

/** What a handler's input and the parts of it inherit from; `open` where names of any kind may stand in a part. */
export type Prototypes = {input: object; parts: Record<string, {prototype: object; open: boolean} | undefined>};

const unread = (path: string, hook: string) =>
	new NativeError(`manifest.json does not read ${path} at ${hook}: name it in "reads", or this plugin never sees it`);

const refusing = (names: readonly string[], before: string, hook: string): object => {
	const prototype = create(objectPrototype) as object;
	for (let index = 0; index < names.length; index++) {
		const path = before + names[index]!;
		defineProperty(prototype, names[index]!, {
			get() {
				throw unread(path, hook);
			},
		});
	}
	return prototype;
};

/** The language itself looks into any object for `toJSON` and `then`. */
const refusingAll = (before: string, hook: string): object =>
	new NativeProxy(create(objectPrototype) as object, {
		get(target, name) {
			if (typeof name !== 'symbol' && name !== 'toJSON' && name !== 'then' && !(name in target)) throw unread(before + name, hook);
			return (target as Record<PropertyKey, unknown>)[name];
		},
	});

/** To read from a handler's input what its manifest does not declare throws: it would be missing always, and a guard pass everything. */
export const prototypesOf = ({fields, parts}: Unread, hook: string): Prototypes => {
	const prototypes: Prototypes = {input: refusing(fields, '', hook), parts: create(null)};
	const names = keys(parts);
	for (let index = 0; index < names.length; index++) {
		const part = names[index]!;
		const others = parts[part]!;
		const open = others === true;
		prototypes.parts[part] = {prototype: open ? refusingAll(`${part}.`, hook) : refusing(others, `${part}.`, hook), open};
	}
	return prototypes;
};

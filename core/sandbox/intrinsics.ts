/** What our side of a plugin's realm needs, kept before any code of the plugin can replace it. */
export const {parse, stringify} = JSON;
export const {freeze, getOwnPropertyDescriptor, keys, create, defineProperty} = Object;
export const objectPrototype = Object.prototype;
export const NativePromise = Promise;
export const NativeProxy = Proxy;
export const NativeError = Error;
export const NativeString = String;

const apart = <Method extends (...rest: never[]) => unknown>(method: Method) => Function.prototype.call.bind(method);

export const call = apart(Function.prototype.call) as (fn: unknown, self: unknown, ...rest: unknown[]) => unknown;
export const promiseThen = Promise.prototype.then;
export const slice = apart(String.prototype.slice) as (text: string, from: number, to?: number) => string;
export const indexOf = apart(String.prototype.indexOf) as (text: string, part: string, from: number) => number;
export const startsWith = apart(String.prototype.startsWith) as (text: string, part: string) => boolean;

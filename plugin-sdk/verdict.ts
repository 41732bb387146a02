import type * as z from 'zod';
import type * as v from '../schemas/verdict.ts';

type Without<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;
type Effects = z.input<z.ZodObject<typeof v.effects>>;

/** Lets it pass; `effects` are carried out by the host in the same turn. */
export const allow = (effects: Effects & {clear?: number} = {}) => ({verdict: 'allow', ...effects}) as const;

/** Refuses. `message` is for the client: no secret, no content, no list of what would be allowed. */
export const deny = (refusal: Without<z.input<typeof v.deny>, 'verdict'>) => ({verdict: 'deny', ...refusal}) as const;

/** pre-auth: this is who is asking. */
export const identify = (principal: z.input<typeof v.identify>['principal']) => ({verdict: 'identify', principal}) as const;

/** Changes what travels on. `patch` names only what changes. */
export const rewrite = <Patch extends object>(patch: Patch, effects: Effects & {clear?: number} = {}) =>
	({verdict: 'rewrite', patch, ...effects}) as const;

/** Answers in the upstream's place. */
export const respond = <Response extends object>(response: Response, effects: Effects = {}) =>
	({verdict: 'respond', response, ...effects}) as const;

/** pre-request: these deployments instead, best first. */
export const route = (plan: string[], effects: Effects = {}) => ({verdict: 'route', plan, ...effects}) as const;

/** Waits for somebody's decision: the plugin is asked again when what it waits for has changed, and may say `hold` once more. */
export const hold = (approval: z.input<typeof v.hold>['approval'], effects: Effects & {rule?: string} = {}) =>
	({verdict: 'hold', approval, ...effects}) as const;

/** on-audit: keeps these record fields (dotted paths) out of the journal. */
export const redact = (paths: string[]) => ({verdict: 'redact', paths}) as const;

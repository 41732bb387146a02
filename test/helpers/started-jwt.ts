import {createHash} from 'node:crypto';
import type {ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {audience, startIssuer} from './issuer.ts';

export const noon = Date.parse('2026-11-22T12:00:00Z');
export const seconds = (ms: number): number => Math.floor(ms / 1_000);

/** The plugin jwt beside an issuer of its own, with one clock for both. */
export const startJwt = async (t: ExecutionContext, more: Record<string, unknown> = {}) => {
	const clock = {now: noon};
	const issuer = await startIssuer(t, () => clock.now);
	const plugin = await startPlugin(new URL('../../plugins/jwt/test.ts', import.meta.url).href, {
		now: () => clock.now,
		config: {issuer: issuer.url, audience, principal: {tenant: {claim: 'org.slug'}}, ...more},
		async http({url}) {
			const response = await fetch(url, {signal: AbortSignal.timeout(issuer.says === 'hang' ? 200 : 5_000)});
			return {status: response.status, headers: {}, body: await response.text()};
		},
	});
	t.teardown(plugin.close);
	const show = (token: string | undefined, resource?: string) =>
		plugin.ask('pre-auth', {
			...(resource !== undefined && {resource}),
			credential: token === undefined ? {} : {token, sha256: createHash('sha256').update(token).digest('hex')},
		});
	return {issuer, clock, show, key: await issuer.newKey('one')};
};

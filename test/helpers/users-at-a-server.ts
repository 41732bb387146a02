import type {ExecutionContext} from 'ava';
import {startAuthorizationServer} from './authorization-server.ts';
import {openBrowser} from './browser.ts';
import {startGateway, type TestGateway} from './gateway.ts';
import {type Said, wireTo} from './mcp-wire.ts';
import {protectedServer} from './protected-mcp-server.ts';

type Overrides = {oauth?: Record<string, unknown>; folder?: string};

/** A gateway before a server that wants a token of each user, and the authorization server that gives them. */
export const gatewayOfUsers = async (t: ExecutionContext, {oauth = {}}: Overrides = {}) => {
	const as = await startAuthorizationServer(t);
	const server = await protectedServer(t, as);
	const config = {
		servers: {
			mail: {
				url: server.url,
				oauth: {grant: 'authorization_code' as const, issuer: as.issuer, clientId: 'public', scopes: ['mail:read'], ...oauth},
			},
		},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	};
	const gateway = await startGateway(t, config);
	const keyOf = (user: string) => gateway.key({tenant: 'acme', user});
	return {as, server, config, gateway, keyOf};
};

/** Calls the tool that says whose token came. */
export const ask = (gateway: Pick<TestGateway, 'url'>, key: string): Promise<Said> => wireTo(`${gateway.url}/mcp/mail`, key).call('whoami');
/** Where a user that is not connected is sent. */
export const linkIn = ({body}: Said): string => String(body.error?.data?.link);

/** Connects the account `user` at the authorization server to this key's user. */
export const connect = async (gateway: TestGateway, key: string): Promise<string> => {
	const browser = openBrowser();
	const back = await browser.logIn(linkIn(await ask(gateway, key)));
	return (await browser.go(back)).text;
};

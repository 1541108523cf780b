// A real OpenID Connect provider (npm's oidc-provider) on loopback for the integration tests. It prints its address, signs
// in whoever it is told to, and does on request what a provider does rarely: rotate its keys, or go wrong.
//
//   node provider.mjs REDIRECT_URI
//
// Whoever comes with a browser is alice.
//
//   GET  /test/sign-in?url=…&account=…   goes through a sign-in as a browser does; answers where it ends
//   POST /test/rotate                    new keys; the former ones are gone
//   POST /test/spoil  {"aud": "other"}   claims to put into the following ID tokens, signed with the provider's key; {} ends it
import http from 'node:http';
import { exportJWK, generateKeyPair, decodeJwt, importJWK, SignJWT } from 'jose';
import Provider from 'oidc-provider';

// standard output is for the address alone: whoever has read it may close it
console.info = console.warn = console.error;

const [redirectUri] = process.argv.slice(2);
const people = {
  alice: { email: 'alice@example.com', email_verified: true, name: 'Alice Example', groups: ['maintenance'] },
  boss: { email: 'boss@example.com', email_verified: true, name: 'Boss', groups: ['maintenance', 'it'] },
  guest: { email: 'guest@example.com', email_verified: true, name: 'Guest', groups: [] },
  unverified: { email: 'unverified@example.com', email_verified: false, groups: ['maintenance'] },
  engineer: { email: 'engineer@example.com', email_verified: true, groups: ['maintenance'] },
};
const claims = { email: ['email', 'email_verified'], profile: ['name', 'groups'] };
let provider, keys, signedIn = 'alice', spoil = {}, generation = 0;

async function key(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-${generation}` };
}

async function renew() {
  generation += 1;
  keys = [await key('RS256'), await key('ES256')];
  const client = (client_id, id_token_signed_response_alg, more) => ({
    client_id, id_token_signed_response_alg, redirect_uris: [redirectUri], ...more,
  });
  provider = new Provider(issuer, {
    clients: [
      client('pm', 'RS256', { client_secret: 'a secret: with reserved characters' }),
      client('pm-ec', 'ES256', { client_secret: 'another', token_endpoint_auth_method: 'client_secret_post' }),
      client('pm-public', 'RS256', { token_endpoint_auth_method: 'none' }),
    ],
    jwks: { keys },
    claims,
    conformIdTokenClaims: false,
    cookies: { keys: ['of these tests'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    interactions: { url: (_, { uid }) => `/test/interaction/${uid}` },
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith('/test/interaction/')) {
      await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: signedIn } });
      ctx.respond = false;
      return;
    }
    await next();
    if (ctx.body?.id_token && Object.keys(spoil).length) {
      const token = { ...decodeJwt(ctx.body.id_token), ...spoil };
      const signing = keys.find((key) => key.alg === 'RS256');
      ctx.body.id_token = await new SignJWT(token)
        .setProtectedHeader({ alg: signing.alg, kid: signing.kid })
        .sign(await importJWK(signing));
    }
  });
}

// Follows redirects with cookies until one leads to the system.
async function browse(address) {
  const jar = new Map();
  for (let step = 0; step < 10; step += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(address, { redirect: 'manual', headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      jar.set(name, value);
    }
    const next = answer.headers.get('location');
    if (!next) return `no redirect: ${answer.status} ${await answer.text()}`;
    address = new URL(next, address).href;
    if (address.startsWith(redirectUri)) return address;
  }
  return 'too many redirects';
}

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  const answer = (value) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
  if (url.pathname === '/test/sign-in') {
    signedIn = url.searchParams.get('account');
    answer(await browse(url.searchParams.get('url')));
  } else if (url.pathname === '/test/rotate') {
    await renew();
    answer(generation);
  } else if (url.pathname === '/test/spoil') {
    let text = '';
    for await (const part of request) text += part;
    spoil = JSON.parse(text);
    answer(spoil);
  } else {
    provider.callback()(request, response);
  }
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const issuer = `http://127.0.0.1:${server.address().port}`;
await renew();
console.log(issuer);
// ends with whoever has started it
process.stdin.on('end', () => process.exit(0)).resume();

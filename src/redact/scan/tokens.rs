//! Tokens: secrets that say themselves what they are. One table, one line a format.
//!
//! `prefix`, which characters follow and how many at least, how sure that makes us, and who issues tokens of this form
//! (their documentation, or their public scanner rules, is the source). The whole run is masked even when it is longer
//! than the format says: a longer, unknown variant is a secret too. Checksums are not looked at: a cut token leaks as well.

use super::super::pseudonym::{Class, unmasked_end};
use super::super::shape::{self, bounded};

/// Characters of a token's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_` and `-`.
    Word,
    /// Letters, digits, `_`, `-` and `.`.
    Dotted,
    /// Hexadecimal digits, lower case.
    Hex,
    /// Base 32: capitals and `2` to `7`.
    Base32,
    /// Hexadecimal digits and `-`.
    HexDash,
    /// Base 64: letters, digits, `+`, `/`, `=`, `_` and `-`.
    Base64,
    /// As `Base64`, and `.`, `:`, `$`, `%`.
    Any,
}

/// How much must follow before it is a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    /// The prefix is unmistakable.
    Yes,
    /// The body must have digits and not be made of words.
    Mixed,
    /// The body must be exactly as long as the format says.
    Exact,
}

/// One format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) prefix: &'static str,
    pub(super) body: Body,
    pub(super) min: usize,
    pub(super) sure: Sure,
    /// Who issues it.
    pub(super) issuer: &'static str,
}

const fn t(prefix: &'static str, body: Body, min: usize, sure: Sure, issuer: &'static str) -> Token {
    Token { prefix, body, min, sure, issuer }
}

use Body::{Alnum, Any, Base32, Base64, Dotted, Hex, HexDash, Word};
use Sure::{Exact, Mixed, Yes};

/// All formats.
#[rustfmt::skip]
pub(super) const TOKENS: &[Token] = &[
    // LaserData and version control.
    t("ld_api_", Word, 16, Yes, "laserdata.com"), t("ld_pk_", Word, 16, Yes, "laserdata.com, and this appliance"),
    t("ghp_", Alnum, 16, Yes, "github.com"), t("gho_", Alnum, 16, Yes, "github.com"), t("ghu_", Alnum, 16, Yes, "github.com"),
    t("ghs_", Word, 16, Yes, "github.com"), t("ghr_", Alnum, 16, Yes, "github.com"), t("github_pat_", Word, 20, Yes, "github.com"),
    t("glpat-", Dotted, 16, Yes, "gitlab.com"), t("gldt-", Word, 16, Yes, "gitlab.com"), t("glptt-", Word, 16, Yes, "gitlab.com"),
    t("glft-", Word, 16, Yes, "gitlab.com"), t("glagent-", Word, 16, Yes, "gitlab.com"), t("glrt-", Dotted, 16, Yes, "gitlab.com"),
    t("glrtr-", Word, 16, Yes, "gitlab.com"), t("glcbt-", Word, 16, Yes, "gitlab.com"), t("glimt-", Word, 16, Yes, "gitlab.com"),
    t("gloas-", Word, 16, Yes, "gitlab.com"), t("glsoat-", Word, 16, Yes, "gitlab.com"), t("glffct-", Word, 16, Yes, "gitlab.com"),
    t("glwt-", Word, 16, Yes, "gitlab.com"), t("GR1348941", Word, 16, Yes, "gitlab.com"), t("_gitlab_session=", Hex, 16, Yes, "gitlab.com"),
    t("ATATT3x", Base64, 40, Yes, "atlassian.com"), t("ATCTT3x", Base64, 40, Yes, "atlassian.com"), t("ATBB", Alnum, 24, Mixed, "bitbucket.org"),
    t("BBDC-", Base64, 30, Mixed, "atlassian.com"), t("sgp_", Word, 32, Mixed, "sourcegraph.com"), t("slk_", Hex, 40, Yes, "sourcegraph.com"),
    t("gitea_", Alnum, 30, Mixed, "gitea.com"), t("PMAK-", Word, 40, Yes, "postman.com"), t("PMAT-", Word, 20, Mixed, "postman.com"),
    // Private keys without the lines around them: PKCS #8 (RSA, elliptic curves, Ed25519), PKCS #1, SEC 1, OpenSSH.
    t("MIIEvQIBADANBgkq", Base64, 24, Yes, "RFC 5958"), t("MIIEvAIBADANBgkq", Base64, 24, Yes, "RFC 5958"), t("MIIEvgIBADANBgkq", Base64, 24, Yes, "RFC 5958"),
    t("MIIEuwIBADANBgkq", Base64, 24, Yes, "RFC 5958"), t("MIIG/QIBADANBgkq", Base64, 24, Yes, "RFC 5958"), t("MIIG/gIBADANBgkq", Base64, 24, Yes, "RFC 5958"),
    t("MIIG/AIBADANBgkq", Base64, 24, Yes, "RFC 5958"), t("MIIJQgIBADANBgkq", Base64, 24, Yes, "RFC 5958"), t("MIIJQwIBADANBgkq", Base64, 24, Yes, "RFC 5958"),
    t("MIIJQQIBADANBgkq", Base64, 24, Yes, "RFC 5958"), t("MIIJRAIBADANBgkq", Base64, 24, Yes, "RFC 5958"), t("MIGHAgEAMBMGByqG", Base64, 24, Yes, "RFC 5915"),
    t("MIG2AgEAMBAGByqG", Base64, 24, Yes, "RFC 5915"), t("MIGEAgEAMBAGByqG", Base64, 24, Yes, "RFC 5915"), t("MC4CAQAwBQYDK2Vw", Base64, 24, Yes, "RFC 8410"),
    t("MIIEpAIBAAKCAQEA", Base64, 24, Yes, "RFC 8017"), t("MIIEowIBAAKCAQEA", Base64, 24, Yes, "RFC 8017"), t("MIIEogIBAAKCAQEA", Base64, 24, Yes, "RFC 8017"),
    t("MIIEpQIBAAKCAQEA", Base64, 24, Yes, "RFC 8017"), t("MIIG4wIBAAKCAYEA", Base64, 24, Yes, "RFC 8017"), t("MIIG5AIBAAKCAYEA", Base64, 24, Yes, "RFC 8017"),
    t("MIIJKQIBAAKCAgEA", Base64, 24, Yes, "RFC 8017"), t("MIIJKAIBAAKCAgEA", Base64, 24, Yes, "RFC 8017"), t("MIIJKgIBAAKCAgEA", Base64, 24, Yes, "RFC 8017"),
    t("MIIG4gIBAAKCAYEA", Base64, 24, Yes, "RFC 8017"), t("MIIG5QIBAAKCAYEA", Base64, 24, Yes, "RFC 8017"), t("MIIJJwIBAAKCAgEA", Base64, 24, Yes, "RFC 8017"),
    t("MIHuAgEAMBAGByqG", Base64, 24, Yes, "RFC 5915"), t("MC4CAQAwBQYDK2Vu", Base64, 24, Yes, "RFC 8410"), t("MIGkAgEBBDA", Base64, 24, Yes, "RFC 5915"),
    t("MIGkAgEBBDB", Base64, 24, Yes, "RFC 5915"), t("MIGkAgEBBDC", Base64, 24, Yes, "RFC 5915"), t("MIGkAgEBBDD", Base64, 24, Yes, "RFC 5915"),
    t("MIHcAgEBBEI", Base64, 24, Yes, "RFC 5915"),
    t("MHcCAQEEI", Base64, 40, Yes, "RFC 5915"), t("b3BlbnNzaC1rZXktdjEA", Base64, 24, Yes, "openssh.com"),
    // Continuous integration, registries, infrastructure.
    t("CCIPAT_", Word, 40, Yes, "circleci.com"), t("CCIPRJ_", Word, 40, Yes, "circleci.com"), t("bkua_", Alnum, 30, Yes, "buildkite.com"),
    t("bkct_", Alnum, 30, Mixed, "buildkite.com"), t("API-", Alnum, 26, Exact, "octopus.com"), t("dp.pt.", Alnum, 36, Yes, "doppler.com"),
    t("dp.st.", Dotted, 36, Yes, "doppler.com"), t("dp.ct.", Alnum, 36, Yes, "doppler.com"), t("dp.sa.", Alnum, 36, Yes, "doppler.com"),
    t("dp.scim.", Alnum, 36, Yes, "doppler.com"), t("dp.audit.", Alnum, 36, Yes, "doppler.com"), t("rubygems_", Hex, 32, Yes, "rubygems.org"),
    t("npm_", Alnum, 30, Yes, "npmjs.com"), t("pypi-AgE", Base64, 40, Yes, "pypi.org"), t("dckr_pat_", Word, 20, Yes, "docker.com"),
    t("dckr_oat_", Word, 20, Yes, "docker.com"), t("oy2", Alnum, 43, Exact, "nuget.org"), t("AKCp", Alnum, 50, Yes, "jfrog.com"),
    t("cmVmdGtu", Alnum, 50, Yes, "jfrog.com"), t("CLOJARS_", Alnum, 50, Yes, "clojars.org"), t("cio", Alnum, 32, Exact, "crates.io"),
    t("tfp_", Word, 40, Mixed, "typeform.com"), t("pul-", Hex, 40, Yes, "pulumi.com"), t("nfp_", Alnum, 36, Mixed, "netlify.com"),
    t("vcp_", Alnum, 20, Mixed, "vercel.com"), t("vck_", Alnum, 20, Mixed, "vercel.com"), t("rnd_", Alnum, 24, Mixed, "render.com"),
    t("fo1_", Word, 40, Yes, "fly.io"), t("fm1r_", Base64, 60, Yes, "fly.io"), t("fm1a_", Base64, 60, Yes, "fly.io"), t("fm2_", Base64, 60, Yes, "fly.io"),
    t("HRKU-", Word, 30, Yes, "heroku.com"), t("tskey-", Word, 20, Yes, "tailscale.com"), t("dnkey-", Word, 26, Yes, "defined.net"),
    t("pscale_tkn_", Dotted, 30, Yes, "planetscale.com"), t("pscale_pw_", Dotted, 30, Yes, "planetscale.com"),
    t("pscale_oauth_", Dotted, 30, Yes, "planetscale.com"), t("pnu_", Alnum, 32, Mixed, "prefect.io"), t("pnb_", Alnum, 32, Mixed, "prefect.io"),
    t("ico-", Alnum, 32, Mixed, "infracost.io"), t("CFPAT-", Word, 30, Mixed, "contentful.com"), t("tk-us-", Word, 40, Mixed, "scalingo.com"),
    t("snyk_uat.", Dotted, 30, Mixed, "snyk.io"), t("squ_", Hex, 40, Yes, "sonarsource.com"), t("sqp_", Hex, 40, Yes, "sonarsource.com"),
    t("sqa_", Hex, 40, Yes, "sonarsource.com"), t("flb_live_", Alnum, 20, Mixed, "fleetbase.io"), t("tr_dev_", Alnum, 20, Mixed, "trigger.dev"),
    t("tr_prod_", Alnum, 20, Mixed, "trigger.dev"), t("tr_pat_", Alnum, 20, Mixed, "trigger.dev"),
    // Clouds.
    t("AKIA", Base32, 16, Exact, "aws.amazon.com"), t("ASIA", Base32, 16, Exact, "aws.amazon.com"), t("ABIA", Base32, 16, Exact, "aws.amazon.com"),
    t("ACCA", Base32, 16, Exact, "aws.amazon.com"), t("IQoJb3JpZ2luX2", Base64, 40, Yes, "aws.amazon.com"), t("FwoGZXIvYXdz", Base64, 40, Yes, "aws.amazon.com"),
    t("ABSKQmVkcm9ja0FQSUtleS", Base64, 40, Yes, "aws.amazon.com"), t("bedrock-api-key-", Base64, 40, Yes, "aws.amazon.com"),
    t("da2-", Alnum, 26, Exact, "aws.amazon.com"), t("amzn.mws.", HexDash, 32, Yes, "amazon.com"), t("amzn1.oa2-cs.v1.", Hex, 40, Yes, "amazon.com"),
    t("AIza", Word, 30, Yes, "cloud.google.com"), t("GOCSPX-", Word, 20, Yes, "cloud.google.com"), t("ya29.", Dotted, 30, Yes, "cloud.google.com"),
    t("AQ.Ab8RN6", Word, 20, Yes, "cloud.google.com"), t("GOOG1E", Alnum, 40, Yes, "cloud.google.com"), t("GOOG", Alnum, 20, Mixed, "cloud.google.com"),
    t("1//0", Word, 40, Yes, "cloud.google.com"), t("dop_v1_", Hex, 40, Yes, "digitalocean.com"), t("doo_v1_", Hex, 40, Yes, "digitalocean.com"),
    t("dor_v1_", Hex, 40, Yes, "digitalocean.com"), t("LTAI", Alnum, 12, Mixed, "alibabacloud.com"), t("AKID", Alnum, 28, Mixed, "tencent.com"),
    t("AQVN", Word, 35, Mixed, "yandex.cloud"), t("t1.9eu", Dotted, 60, Yes, "yandex.cloud"), t("YCA", Word, 35, Mixed, "yandex.cloud"),
    t("sb_secret_", Word, 20, Yes, "supabase.com"), t("sbp_", Word, 36, Yes, "supabase.com"), t("v1.0-", HexDash, 60, Mixed, "cloudflare.com"),
    t("cfut_", Word, 30, Mixed, "cloudflare.com"), t("cfat_", Word, 30, Mixed, "cloudflare.com"), t("SCWSECRET", Alnum, 16, Mixed, "scaleway.com"),
    t("oc_live_", Alnum, 20, Mixed, "oracle.com"), t("8Q~", Dotted, 31, Mixed, "azure.com"),
    // Data and messaging.
    t("dapi", HexDash, 32, Yes, "databricks.com"), t("dose", HexDash, 32, Exact, "databricks.com"), t("dkea", HexDash, 32, Exact, "databricks.com"),
    t("napi_", Alnum, 30, Yes, "neon.tech"), t("AstraCS:", Any, 40, Yes, "datastax.com"), t("4b1d", Alnum, 38, Exact, "clickhouse.com"),
    t("essu_", Base64, 40, Yes, "elastic.co"), t("CCDB1_", Word, 30, Yes, "cockroachlabs.com"), t("cflt", Base64, 58, Mixed, "confluent.io"),
    t("pcsk_", Word, 30, Yes, "pinecone.io"), t("db-", Alnum, 29, Exact, "databento.com"), t("rpa_", Alnum, 30, Mixed, "runpod.io"),
    t("xata_", Alnum, 20, Mixed, "xata.io"), t("tsc_", Alnum, 30, Mixed, "timescale.com"), t("aio_", Alnum, 28, Exact, "adafruit.com"),
   
    t("mdb_sa_sk_", Word, 30, Yes, "mongodb.com"), t("mongodb_atlas_", Alnum, 20, Mixed, "mongodb.com"), t("redis_", Alnum, 32, Mixed, "redis.io"),
    // Observability.
    t("glsa_", Word, 30, Yes, "grafana.com"), t("glc_", Base64, 30, Yes, "grafana.com"), t("NRAK-", Alnum, 20, Yes, "newrelic.com"),
    t("NRJS-", Hex, 15, Yes, "newrelic.com"), t("NRII-", Word, 20, Yes, "newrelic.com"), t("NRIQ-", Word, 20, Yes, "newrelic.com"),
    t("NRRA-", Alnum, 20, Yes, "newrelic.com"), t("NRSP-", Word, 20, Mixed, "newrelic.com"), t("NRBR-", Hex, 15, Yes, "newrelic.com"),
    t("hcaik_", Alnum, 30, Yes, "honeycomb.io"), t("hcalk_", Alnum, 30, Yes, "honeycomb.io"), t("hcxik_", Alnum, 30, Yes, "honeycomb.io"),
    t("hcamk_", Alnum, 30, Yes, "honeycomb.io"), t("sntrys_", Base64, 40, Yes, "sentry.io"), t("sntryu_", Alnum, 30, Yes, "sentry.io"),
    t("dt0c01.", Dotted, 60, Yes, "dynatrace.com"), t("dt0s01.", Dotted, 60, Yes, "dynatrace.com"), t("dt0s02.", Dotted, 60, Yes, "dynatrace.com"),
    t("phc_", Alnum, 30, Mixed, "posthog.com"), t("phx_", Alnum, 30, Mixed, "posthog.com"), t("xaat-", HexDash, 32, Yes, "axiom.co"),
    t("xapt-", HexDash, 32, Yes, "axiom.co"), t("ddpat_", Alnum, 20, Mixed, "datadoghq.com"), t("ddapp_", Alnum, 20, Mixed, "datadoghq.com"),
    t("lsv2_", Word, 30, Yes, "langchain.com"), t("ls__", Hex, 32, Yes, "langchain.com"),
    // Messaging and office.
    t("xoxb-", Word, 16, Yes, "slack.com"), t("xoxp-", Word, 16, Yes, "slack.com"), t("xoxa-", Word, 16, Yes, "slack.com"),
    t("xoxr-", Word, 16, Yes, "slack.com"), t("xoxs-", Word, 16, Yes, "slack.com"), t("xoxo-", Word, 16, Yes, "slack.com"), t("xoxc-", Word, 16, Yes, "slack.com"),
    t("xoxd-", Any, 16, Yes, "slack.com"), t("xoxe-", Word, 16, Yes, "slack.com"), t("xoxe.", Dotted, 16, Yes, "slack.com"),
    t("xapp-", Word, 16, Yes, "slack.com"), t("xwfp-", Word, 16, Yes, "slack.com"), t("SG.", Dotted, 50, Yes, "sendgrid.com"),
    t("key-", Hex, 32, Exact, "mailgun.com"), t("xkeysib-", Word, 40, Yes, "brevo.com"), t("xsmtpsib-", Word, 40, Yes, "brevo.com"),
    t("re_", Word, 24, Mixed, "resend.com"), t("ntn_", Alnum, 30, Yes, "notion.so"),
    t("secret_", Alnum, 43, Exact, "notion.so"), t("figd_", Word, 30, Yes, "figma.com"), t("figo_", Word, 30, Mixed, "figma.com"),
    t("lin_api_", Alnum, 30, Yes, "linear.app"), t("lin_oauth_", Alnum, 30, Yes, "linear.app"), t("secret-token:", Any, 16, Yes, "rfc 8959"),
    t("dG9r", Base64, 56, Mixed, "intercom.com"), t("rdme_", Alnum, 40, Yes, "readme.com"), t("pat-na1-", HexDash, 32, Yes, "hubspot.com"),
    t("pat-eu1-", HexDash, 32, Yes, "hubspot.com"), t("sl.", Word, 60, Mixed, "dropbox.com"), t("sl.u.", Word, 40, Yes, "dropbox.com"),
    t("EAAC", Alnum, 60, Mixed, "facebook.com"), t("EAAA", Word, 50, Mixed, "facebook.com, squareup.com"), t("EAAG", Alnum, 60, Mixed, "facebook.com"),
    t("AAAAAAAAAAAAAAAAAAAAA", Any, 40, Mixed, "x.com"), t("EAAB", Alnum, 60, Mixed, "facebook.com"), t("waka_", HexDash, 32, Yes, "wakatime.com"),
    t("ZAAK", Alnum, 30, Mixed, "zoom.us"), t("_mmk", Alnum, 6, Exact, "maxmind.com"),
    // Payment.
    t("sk_live_", Alnum, 10, Yes, "stripe.com"), t("rk_live_", Alnum, 10, Yes, "stripe.com"), t("sk_test_", Alnum, 10, Mixed, "stripe.com"),
    t("rk_test_", Alnum, 10, Mixed, "stripe.com"), t("sk_prod_", Alnum, 10, Mixed, "stripe.com"), t("whsec_", Base64, 20, Yes, "stripe.com"),
    t("sq0atp-", Word, 20, Yes, "squareup.com"), t("sq0csp-", Word, 30, Yes, "squareup.com"), t("sq0idp-", Word, 20, Yes, "squareup.com"),
    t("access_token$production$", Alnum, 20, Yes, "paypal.com"), t("access_token$sandbox$", Alnum, 20, Yes, "paypal.com"),
    t("shpat_", Alnum, 24, Yes, "shopify.com"), t("shpca_", Alnum, 24, Yes, "shopify.com"), t("shppa_", Alnum, 24, Yes, "shopify.com"),
    t("shpss_", Alnum, 24, Yes, "shopify.com"), t("shptka_", Alnum, 24, Yes, "shopify.com"), t("EZAK", Alnum, 54, Exact, "easypost.com"),
    t("EZTK", Alnum, 54, Exact, "easypost.com"), t("FLWSECK_", Any, 12, Yes, "flutterwave.com"), t("FLWSECK-", Any, 12, Yes, "flutterwave.com"),
    t("rzp_live_", Alnum, 14, Yes, "razorpay.com"), t("shippo_live_", Hex, 32, Yes, "goshippo.com"), t("shippo_test_", Hex, 32, Yes, "goshippo.com"),
    t("live_", Word, 35, Mixed, "gocardless.com"), t("duffel_live_", Word, 30, Yes, "duffel.com"), t("duffel_test_", Word, 30, Yes, "duffel.com"),
    t("fio-u-", Word, 40, Yes, "frame.io"), t("access-production-", HexDash, 32, Yes, "plaid.com"), t("access-sandbox-", HexDash, 32, Yes, "plaid.com"),
    t("access-development-", HexDash, 32, Yes, "plaid.com"), t("pk_", Word, 60, Mixed, "clerk.com"),
    // Models.
    t("sk-proj-", Word, 20, Yes, "openai.com"), t("sk-svcacct-", Word, 20, Yes, "openai.com"), t("sk-admin-", Word, 20, Yes, "openai.com"),
    t("sk-ant-", Word, 20, Yes, "anthropic.com"), t("sk-or-v1-", Hex, 32, Yes, "openrouter.ai"), t("sk-lf-", HexDash, 32, Yes, "langfuse.com"),
    t("sk-", Word, 20, Mixed, "openai.com, deepseek.com"), t("sk_", Alnum, 32, Mixed, "elevenlabs.io"), t("hf_", Alnum, 30, Yes, "huggingface.co"),
    t("api_org_", Alnum, 30, Yes, "huggingface.co"), t("r8_", Alnum, 30, Yes, "replicate.com"), t("xai-", Alnum, 40, Yes, "x.ai"),
    t("gsk_", Alnum, 30, Yes, "groq.com"), t("pplx-", Alnum, 30, Yes, "perplexity.ai"), t("nvapi-", Word, 30, Yes, "nvidia.com"),
    t("fw_", Alnum, 20, Mixed, "fireworks.ai"), t("tgp_v1_", Word, 30, Yes, "together.ai"), t("csk-", Alnum, 30, Mixed, "cerebras.ai"),
    t("tvly-", Word, 20, Mixed, "tavily.com"), t("jina_", Word, 40, Yes, "jina.ai"), t("voyage-", Word, 40, Mixed, "voyageai.com"), t("pa-", Word, 40, Mixed, "voyageai.com"),
    t("fc-", Hex, 32, Exact, "firecrawl.dev"), t("e2b_", Hex, 36, Yes, "e2b.dev"), t("ops_eyJ", Base64, 60, Yes, "1password.com"),
    // Secrets managers, identity, keys.
    t("hvs.", Word, 20, Yes, "hashicorp.com"), t("hvb.", Word, 20, Yes, "hashicorp.com"), t("hvr.", Word, 20, Yes, "hashicorp.com"),
    t("b.AAAAAQ", Word, 40, Yes, "hashicorp.com"), t(".atlasv1.", Word, 40, Yes, "hashicorp.com"),
    t("A3-", Word, 26, Mixed, "1password.com"), t("AGE-SECRET-KEY-", Word, 40, Yes, "age-encryption.org"), t("SSWS ", Word, 20, Yes, "okta.com"),
    t("PRIVATE-TOKEN:", Word, 16, Yes, "gitlab.com"), t("ey_live_", Alnum, 20, Mixed, "keygen.sh"), t("infisical_", Word, 30, Mixed, "infisical.com"),
    t("st.", Dotted, 60, Mixed, "infisical.com"), t("akv_", Alnum, 20, Mixed, "akeyless.io"), t("FlyV1 ", Base64, 20, Yes, "fly.io"),
    t("nsec1", Alnum, 50, Yes, "nostr.com"), t("xprv", Alnum, 80, Yes, "bips.dev"), t("SCRAM_", Base64, 40, Mixed, "postgresql.org"),
    t("LINEAR_", Alnum, 30, Mixed, "linear.app"), t("RWRTY0Iy", Base64, 100, Yes, "minisign"), t("untrusted-key:", Base64, 40, Mixed, "minisign"),
];

/// Formats whose prefix is too short to look for: found by the length of the run of letters and digits in which they stand.
/// What stands before the run, its first characters, the characters of the rest, its length, who issues it.
#[rustfmt::skip]
pub(super) const RUNS: &[(&str, &str, Body, usize, &str)] = &[
    ("", "SA", Base32, 58, "nats.io"), ("", "SO", Base32, 58, "nats.io"), ("", "SU", Base32, 58, "nats.io"), ("", "SN", Base32, 58, "nats.io"),
    ("", "SC", Base32, 58, "nats.io"), ("", "SX", Base32, 58, "nats.io"), ("", "SK", Hex, 34, "twilio.com"), ("s.", "", Alnum, 24, "hashicorp.com"),
];

impl Body {
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-',
            Self::Dotted => byte.is_ascii_alphanumeric() || b"_-.".contains(&byte),
            Self::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Self::HexDash => byte.is_ascii_hexdigit() || byte == b'-',
            Self::Base64 => byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte),
            Self::Any => byte.is_ascii_alphanumeric() || b"+/=_-.:$%".contains(&byte),
        }
    }
}

/// The end of the token of this format that begins at `at`.
pub(super) fn token_end(token: &Token, bytes: &[u8], at: usize, to: usize) -> Option<usize> {
    let prefix = token.prefix.as_bytes();
    if !bytes[at..to].starts_with(prefix)
        || !(bounded(bytes, at) || prefix.starts_with(b".") || prefix.starts_with(b"_"))
    {
        return None;
    }
    let from = at + prefix.len();
    let mut end = from + bytes[from..to].iter().take_while(|byte| token.body.has(**byte)).count();
    // A mask is made of characters of tokens; what it masks is no part of this one.
    end = unmasked_end(bytes, from, end);
    while end > from && matches!(bytes[end - 1], b'.' | b':' | b'%' | b'$') {
        end -= 1;
    }
    let body = &bytes[from..end];
    let fits = match token.sure {
        Sure::Yes => body.len() >= token.min,
        Sure::Exact => {
            let digits = shape::Kinds::of(&bytes[at..end]).digit;
            body.len() == token.min && (digits > 0 || token.body == Body::Base32)
        }
        Sure::Mixed => {
            let kinds = shape::Kinds::of(body);
            body.len() >= token.min
                && kinds.digit >= 2
                && kinds.letters() >= 3
                && shape::distinct(body) >= 8
                && (kinds.digit * 8 >= body.len() || !shape::is_wordlike(body))
                && !shape::is_uuid(body)
        }
    };
    (fits && body.iter().any(u8::is_ascii_alphanumeric)).then_some(end)
}

/// The class of a token of this format.
pub(super) fn class_of(token: &Token) -> Class {
    if token.issuer.starts_with("RFC")
        || matches!(token.prefix, "AGE-SECRET-KEY-" | "nsec1" | "xprv" | "b3BlbnNzaC1rZXktdjEA")
    {
        Class::Key
    } else {
        Class::Token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        (0..text.len()).find_map(|at| {
            TOKENS.iter().find_map(|token| token_end(token, text.as_bytes(), at, text.len()).map(|end| &text[at..end]))
        })
    }

    #[test]
    fn the_whole_run_of_a_token_is_found() {
        for token in [
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "ld_api_0123456789abcdef0123456789abcdef",
            "ld_pk_0123456789abcdefghijABCDEFGHIJ0123456789",
            "SG.abcdefghij0123456789AB.abcdefghij0123456789ABCDEFGHIJabcdefghij012",
            "glpat-abcDEF0123-_xyzABC12",
            "hvs.CAESIabcdefghij0123456789",
            "sk-0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(found(&format!("x {token}, y")), Some(token));
            assert_eq!(found(&format!("x\\n{token}\"")), Some(token));
        }
    }

    #[test]
    fn words_that_begin_like_tokens_are_none() {
        for text in [
            "sk-buff alloc failed",
            "sk_lookup skipped",
            "build_ld_api_0123456789abcdef0123",
            "api-production-eu-west-1a ready",
            "API-VERSION-IS-TOO-OLD-FOR-THIS-SERVER",
            "SKIPPED",
            "live_migration_of_virtual_machines_between_hosts",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn every_prefix_is_long_enough_to_look_for_and_has_an_issuer() {
        for token in TOKENS {
            assert!(token.prefix.len() >= 3 && !token.issuer.is_empty() && token.min >= 6, "{}", token.prefix);
        }
    }
}

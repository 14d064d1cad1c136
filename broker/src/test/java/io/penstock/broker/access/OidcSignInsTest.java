package io.penstock.broker.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.broker.access.Accounts.Change;
import io.penstock.broker.access.OidcSignIns.Begin;
import io.penstock.broker.access.OidcSignIns.Finish;
import io.penstock.broker.access.OidcSignIns.WayBack;
import io.penstock.broker.access.OidcSignIns.Why;
import io.penstock.broker.access.SignIns.SignIn;
import io.penstock.broker.access.SignIns.SignedIn;
import io.penstock.broker.config.BrokerConfig;
import io.penstock.broker.store.AuditTable.Entry;
import io.penstock.broker.store.UserTable.User;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Signing in by a provider that lies, hangs and forgets, and by browsers that bring back what is
/// not theirs.
@Timeout(120)
class OidcSignInsTest {
  private static final String EVE = "eve@example.org";

  private final ProviderStandIn provider = new ProviderStandIn();

  @SuppressWarnings("NullAway.Init")
  private AccessRig rig;

  @SuppressWarnings("NullAway.Init")
  private OidcSignIns signIns;

  @BeforeEach
  void start(@TempDir Path directory) throws IOException {
    rig = new AccessRig(directory.resolve("data"));
    Path secret = directory.resolve("secret");
    Files.writeString(secret, ProviderStandIn.SECRET + "\n");
    signIns = signIns(rig.node(), secret, Map.of());
  }

  @AfterEach
  void stop() {
    signIns.close();
    rig.close();
    provider.close();
  }

  private OidcSignIns signIns(AccessRig.Node node, Path secret, Map<String, String> more) {
    var settings = new HashMap<String, String>();
    settings.put("oidc.issuer", provider.issuer());
    settings.put("oidc.name", "Stand-in");
    settings.put("oidc.client_id", ProviderStandIn.CLIENT);
    settings.put("oidc.client_secret_file", secret.toString());
    settings.put("oidc.roles", "admins=Admin, operators=Operator, readers=Viewer");
    settings.put("oidc.timeout", "2s");
    settings.putAll(more);
    BrokerConfig config = BrokerConfig.load(Optional.empty(), Map.of(), settings);
    return node.accounts.oidc(
        rig.real.vertx(), config.oidc().orElseThrow(), "https://broker.example.org");
  }

  private record Begun(String url, String secret) {}

  private Begun begin() {
    var begin = (Begin.AtProvider) signIns.begin(AccessRig.ORIGIN);
    return new Begun(begin.url(), begin.secret());
  }

  private Finish comeBack(String secret, Map<String, String> back) {
    return signIns.finish(
        new WayBack(
            Optional.of(secret),
            Optional.ofNullable(back.get("state")),
            Optional.ofNullable(back.get("code")),
            Optional.ofNullable(back.get("iss")),
            Optional.ofNullable(back.get("error"))),
        AccessRig.ORIGIN);
  }

  private Finish signIn() {
    Begun begun = begin();
    return comeBack(begun.secret(), provider.signIn(begun.url()));
  }

  private SignedIn signedIn() {
    Finish finish = signIn();
    assertThat(finish).isInstanceOf(Finish.Granted.class);
    return ((Finish.Granted) finish).tokens();
  }

  private void says(String name, Object value) {
    provider.claims = claims -> claims.put(name, value);
  }

  private void hasRoles(String... roles) {
    says("realm_access", new JsonObject().put("roles", new JsonArray(List.of(roles))));
  }

  private User eve() {
    return rig.node().accounts.find(EVE).orElseThrow();
  }

  private Entry lastFailure() {
    return rig.audited("authentication.failure").getFirst();
  }

  @Test
  void theFirstSignInMakesAnAccountWithTheMappedRoleAndNoPassword() {
    Actor actor = rig.node().authenticate(signedIn()).orElseThrow();

    assertThat(actor.name()).isEqualTo(EVE);
    assertThat(actor.role()).isEqualTo(Role.OPERATOR);
    assertThat(eve().passwordHash()).isEmpty();
    assertThat(eve().intact()).isTrue();
    assertThat(eve().oidc().orElseThrow().issuer()).isEqualTo(provider.issuer());
    assertThat(eve().oidc().orElseThrow().subject()).isEqualTo("subject-1");
    assertThat(rig.audited("user.create")).hasSize(1);
    assertThat(rig.audited("authentication.success")).hasSize(1);
    assertThat(rig.node().accounts.signIns().login(EVE, "", AccessRig.ORIGIN))
        .isInstanceOf(SignIn.Refused.class);
    assertThat(rig.node().accounts.setPassword(EVE, AccessRig.PASSWORD, AccessRig.ADMIN))
        .isEqualTo(Change.NO_PASSWORD);
  }

  @Test
  void theRequestHasWhatTheStandardsAskFor() {
    Begun begun = begin();

    assertThat(begun.url())
        .startsWith(provider.issuer() + "/auth?")
        .contains("response_type=code")
        .contains("client_id=penstock")
        .contains("code_challenge_method=S256")
        .containsPattern("[?&]scope=openid(%20|\\+)email(%20|\\+)profile(&|$)")
        .containsPattern("[?&]code_challenge=[A-Za-z0-9_-]{43}(&|$)")
        .containsPattern("[?&]state=[A-Za-z0-9_-]{43}(&|$)")
        .containsPattern("[?&]nonce=[A-Za-z0-9_-]{43}(&|$)")
        .contains(
            "redirect_uri=https%3A%2F%2Fbroker.example.org%2Fapi%2Fv1%2Fauth%2Foidc%2Fcallback")
        .doesNotContain(begun.secret())
        .doesNotContain("client_secret");
  }

  @Test
  void theSessionIsAnOrdinaryOne() {
    SignedIn first = signedIn();

    SignIn next = rig.node().accounts.signIns().refresh(first.refreshToken(), AccessRig.ORIGIN);

    assertThat(next).isInstanceOf(SignIn.Granted.class);
    assertThat(rig.node().accounts.signIns().refresh(first.refreshToken(), AccessRig.ORIGIN))
        .isInstanceOf(SignIn.Refused.class);
  }

  @Test
  void theNextSignInFindsTheAccountByItsSubjectWhateverTheAddressIsNow() {
    signedIn();
    says("email", "renamed@example.org");

    Actor actor = rig.node().authenticate(signedIn()).orElseThrow();

    assertThat(actor.name()).isEqualTo(EVE);
    assertThat(rig.node().accounts.find("renamed@example.org")).isEmpty();
  }

  @Test
  void theFirstEntryOfTheTableThatFitsIsTheRole() {
    hasRoles("readers", "admins");

    signedIn();

    assertThat(eve().role()).isEqualTo("admin");
  }

  @Test
  void anotherRoleHoldsFromTheNextSignIn() {
    signedIn();
    hasRoles("readers");

    Actor actor = rig.node().authenticate(signedIn()).orElseThrow();

    assertThat(actor.role()).isEqualTo(Role.VIEWER);
    assertThat(rig.audited("user.update")).hasSize(1);
  }

  @Test
  void whoHasNoMappedRoleGetsNoAccountAndNoAccess() {
    hasRoles("others", "Operator", "operator");

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.NO_ROLE));
    assertThat(rig.node().accounts.find(EVE)).isEmpty();
    assertThat(lastFailure().reason()).contains("oidc_no_role");
    assertThat(lastFailure().user()).contains(EVE);
  }

  @Test
  void whoLostEveryRoleLosesTheirSessionsAtTheNextSignIn() {
    SignedIn before = signedIn();
    hasRoles();

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.NO_ROLE));
    assertThat(rig.node().accounts.signIns().refresh(before.refreshToken(), AccessRig.ORIGIN))
        .isInstanceOf(SignIn.Refused.class);
  }

  @Test
  void disablingHoldsAtOnce() {
    SignedIn before = signedIn();

    rig.node().accounts.disable(EVE, true, AccessRig.ADMIN);

    assertThat(rig.node().authenticate(before)).isEmpty();
    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.DISABLED));
    assertThat(lastFailure().reason()).contains("oidc_disabled");
  }

  @Test
  void theLastAdminIsNotMadeLessByTheProvider() {
    hasRoles("admins");
    signedIn();
    hasRoles("readers");

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.LAST_ADMIN));
    assertThat(eve().role()).isEqualTo("admin");
  }

  /// Whoever may choose an address at the provider must not become somebody here by it.
  @Test
  void anAccountWithAPasswordIsNotTakenOverByItsAddress() {
    rig.user(EVE, Role.ADMIN);

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.EMAIL_TAKEN));
    assertThat(eve().oidc()).isEmpty();
    assertThat(rig.node().signIn(EVE)).isNotNull();
  }

  @Test
  void anotherSubjectOfTheSameAddressIsSomebodyElse() {
    signedIn();
    says("sub", "subject-2");

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.EMAIL_TAKEN));
  }

  @Test
  void anAddressThatNobodyProvedNamesNoAccount() {
    says("email_verified", false);

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.NO_EMAIL));
  }

  @Test
  void anIdentityThatWasWrittenIntoAnotherRowOpensNothing() {
    rig.user("admin2@example.org", Role.ADMIN);
    rig.real.execute(
        "update users set oidc_issuer = '"
            + provider.issuer()
            + "', oidc_subject = 'subject-1', password_hash = '' where email ="
            + " 'admin2@example.org'");

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.DISABLED));
    assertThat(rig.alarms()).anyMatch(alarm -> alarm.subject().contains("admin2@example.org"));
  }

  static Stream<Arguments> lies() {
    return Stream.of(
        lie("iss", claims -> claims.put("iss", "https://evil.example")),
        lie("iss", claims -> claims.put("iss", claims.getString("iss") + "/")),
        lie("aud", claims -> claims.put("aud", "another")),
        lie("aud", claims -> claims.put("aud", new JsonArray())),
        lie("azp", claims -> claims.put("azp", "another")),
        lie("azp", without("azp", "aud", new JsonArray(List.of("penstock", "another")))),
        lie("nonce", claims -> claims.put("nonce", "of another sign-in")),
        lie("nonce", without("nonce", "x", "x")),
        lie("exp", claims -> claims.put("exp", claims.getLong("iat") - 61)),
        lie("exp", without("exp", "x", "x")),
        lie("exp", claims -> claims.put("exp", "9999999999")),
        lie("iat", claims -> claims.put("iat", claims.getLong("exp") + 3600)),
        lie("nbf", claims -> claims.put("nbf", claims.getLong("exp") + 3600)),
        lie("sub", claims -> claims.put("sub", "")),
        lie("sub", claims -> claims.put("sub", 7)));
  }

  private static Arguments lie(String check, UnaryOperator<JsonObject> claims) {
    return Arguments.of(check, claims);
  }

  private static UnaryOperator<JsonObject> without(String name, String other, Object value) {
    return claims -> {
      claims.remove(name);
      return claims.put(other, value);
    };
  }

  @ParameterizedTest(name = "{index} {0}")
  @MethodSource("lies")
  void aTokenThatSaysSomethingWrongLetsNobodyIn(String check, UnaryOperator<JsonObject> claims) {
    provider.claims = claims;

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.UNTRUSTED));
    assertThat(lastFailure().changes()).containsEntry("check", "token " + check);
    assertThat(rig.node().accounts.find(EVE)).isEmpty();
  }

  static Stream<Arguments> forgeries() {
    return Stream.of(
        Arguments.of(
            "form",
            (ProviderStandIn.Forgery)
                (header, claims) ->
                    ProviderStandIn.text(header.copy().put("alg", "none"), claims) + "."),
        Arguments.of(
            "alg",
            (ProviderStandIn.Forgery)
                (header, claims) ->
                    ProviderStandIn.text(header.copy().put("alg", "none"), claims) + ".AAAA"),
        Arguments.of(
            "alg",
            (ProviderStandIn.Forgery)
                (header, claims) ->
                    ProviderStandIn.text(header.copy().put("alg", "NoNe"), claims) + ".AAAA"),
        Arguments.of(
            "signature",
            (ProviderStandIn.Forgery)
                (header, claims) -> ProviderStandIn.text(header, claims) + ".AAAA"),
        Arguments.of(
            "signature",
            (ProviderStandIn.Forgery)
                (header, claims) ->
                    ProviderStandIn.text(header.copy().put("alg", "ES256"), claims) + ".AAAA"),
        Arguments.of(
            "form",
            (ProviderStandIn.Forgery)
                (header, claims) ->
                    ProviderStandIn.text(
                            header.copy().put("jku", "https://evil.example/keys"), claims)
                        + ".AAAA"));
  }

  @ParameterizedTest(name = "{index} {0}")
  @MethodSource("forgeries")
  void aForgedTokenLetsNobodyIn(String check, ProviderStandIn.Forgery forgery) {
    provider.forgery = forgery;

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.UNTRUSTED));
    assertThat(lastFailure().changes()).containsEntry("check", "token " + check);
  }

  /// The public key as the secret of an HMAC, in each form that libraries were fooled with.
  @Test
  void thePublicKeyIsNoSecretOfHs256() {
    byte[] der = provider.publicKey().getEncoded();
    byte[] pem =
        ("-----BEGIN PUBLIC KEY-----\n"
                + java.util.Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END PUBLIC KEY-----\n")
            .getBytes(StandardCharsets.US_ASCII);
    byte[] client = ProviderStandIn.SECRET.getBytes(StandardCharsets.US_ASCII);
    for (byte[] key : List.of(der, pem, client)) {
      provider.forgery = (header, claims) -> ProviderStandIn.withHmac(header, claims, key);

      assertThat(signIn()).isEqualTo(new Finish.Refused(Why.UNTRUSTED));
      assertThat(lastFailure().changes()).containsEntry("check", "token alg");
    }
  }

  @Test
  void aWayBackWorksOnce() {
    Begun begun = begin();
    Map<String, String> back = provider.signIn(begun.url());
    assertThat(comeBack(begun.secret(), back)).isInstanceOf(Finish.Granted.class);

    assertThat(comeBack(begun.secret(), back)).isEqualTo(new Finish.Refused(Why.STATE));
    assertThat(lastFailure().reason()).contains("oidc_state");
  }

  @Test
  void aCodeThatWasUsedBeforeLetsNobodyIn() {
    Begun first = begin();
    Map<String, String> used = provider.signIn(first.url());
    comeBack(first.secret(), used);
    Begun begun = begin();
    Map<String, String> back = provider.signIn(begun.url());

    back.put("code", String.valueOf(used.get("code")));

    assertThat(comeBack(begun.secret(), back)).isEqualTo(new Finish.Refused(Why.PROVIDER_REFUSED));
    assertThat(lastFailure().changes()).containsEntry("error", "invalid_grant");
  }

  /// PKCE: somebody else's code is of no use in this browser's sign-in.
  @Test
  void aCodeOfAnotherSignInLetsNobodyIn() {
    Begun victim = begin();
    Map<String, String> stolen = provider.signIn(victim.url());
    Begun begun = begin();
    Map<String, String> back = provider.signIn(begun.url());

    back.put("code", String.valueOf(stolen.get("code")));

    assertThat(comeBack(begun.secret(), back)).isEqualTo(new Finish.Refused(Why.PROVIDER_REFUSED));
  }

  @Test
  void anotherBrowsersStateLetsNobodyIn() {
    Begun attacker = begin();
    Map<String, String> link = provider.signIn(attacker.url());
    Begun victim = begin();

    assertThat(comeBack(victim.secret(), link)).isEqualTo(new Finish.Refused(Why.STATE));
    assertThat(signIns.finish(withoutCookie(link), AccessRig.ORIGIN))
        .isEqualTo(new Finish.Refused(Why.STATE));
    assertThat(comeBack("x".repeat(43), link)).isEqualTo(new Finish.Refused(Why.STATE));
  }

  private static WayBack withoutCookie(Map<String, String> back) {
    return new WayBack(
        Optional.empty(),
        Optional.ofNullable(back.get("state")),
        Optional.ofNullable(back.get("code")),
        Optional.ofNullable(back.get("iss")),
        Optional.empty());
  }

  @Test
  void whoTakesTooLongBeginsAgain() {
    Begun begun = begin();
    Map<String, String> back = provider.signIn(begun.url());

    rig.pass(Duration.ofMinutes(11));

    assertThat(comeBack(begun.secret(), back)).isEqualTo(new Finish.Refused(Why.STATE));
  }

  @Test
  void anAnswerThatNamesAnotherIssuerOrNoneIsNotOurs() {
    for (boolean named : List.of(true, false)) {
      Begun begun = begin();
      Map<String, String> back = provider.signIn(begun.url());
      if (named) {
        back.put("iss", "https://evil.example");
      } else {
        back.remove("iss");
      }

      assertThat(comeBack(begun.secret(), back)).isEqualTo(new Finish.Refused(Why.UNTRUSTED));
      assertThat(lastFailure().changes()).containsEntry("check", "response iss");
    }
  }

  @Test
  void aRefusalOfTheProviderEndsTheSignIn() {
    Begun begun = begin();
    Map<String, String> back = provider.signIn(begun.url());
    back.remove("code");
    back.put("error", "access_denied");

    assertThat(comeBack(begun.secret(), back)).isEqualTo(new Finish.Refused(Why.PROVIDER_REFUSED));
  }

  @Test
  void newKeysOfTheProviderAreFetchedAndNotForEachBadToken() {
    signedIn();
    provider.rotate();
    rig.pass(Duration.ofSeconds(11));
    signedIn();
    int asked = provider.keysAsked.get();
    provider.signWithUnpublishedKey();

    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.UNTRUSTED));
    assertThat(signIn()).isEqualTo(new Finish.Refused(Why.UNTRUSTED));
    assertThat(lastFailure().changes()).containsEntry("check", "token key");
    assertThat(provider.keysAsked.get()).isEqualTo(asked);
  }

  @Test
  void keysThatCannotBeFetchedKeepNobodyWhoseKeyIsKnownOut() {
    signedIn();
    provider.forgery =
        (header, claims) ->
            ProviderStandIn.text(header.copy().put("kid", "unknown"), claims) + ".AAAA";
    provider.hanging = Set.of("/realm/keys");
    rig.pass(Duration.ofSeconds(11));
    assertThat(signIn()).isInstanceOf(Finish.ProviderAway.class);

    provider.forgery = (_, _) -> "";

    assertThat(signIn()).isInstanceOf(Finish.Granted.class);
  }

  @Test
  void aProviderThatHangsIsSaidAndPasswordsStillWork() {
    rig.user("admin2@example.org", Role.ADMIN);
    provider.hanging = Set.of("/realm/.well-known/openid-configuration");

    long start = System.nanoTime();
    Begin first = signIns.begin(AccessRig.ORIGIN);
    Begin second = signIns.begin(AccessRig.ORIGIN);

    assertThat(first).isInstanceOf(Begin.ProviderAway.class);
    assertThat(second).isInstanceOf(Begin.ProviderAway.class);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(15));
    assertThat(rig.node().signIn("admin2@example.org")).isNotNull();
  }

  @Test
  void aTokenEndpointThatHangsIsSaid() {
    Begun begun = begin();
    provider.hanging = Set.of("/realm/token");

    assertThat(comeBack(begun.secret(), provider.signIn(begun.url())))
        .isInstanceOf(Finish.ProviderAway.class);
    assertThat(lastFailure().reason()).contains("oidc_provider_away");
  }

  @Test
  void aTokenEndpointThatTricklesIsCutOff() throws InterruptedException {
    Begun begun = begin();
    provider.trickling = Set.of("/realm/token");

    assertThat(comeBack(begun.secret(), provider.signIn(begun.url())))
        .isInstanceOf(Finish.ProviderAway.class);
    assertThat(provider.cut.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void moreThanTokensNeedIsNotRead() {
    provider.tokens = it -> it.put("more", "x".repeat(256 * 1024));

    assertThat(signIn()).isInstanceOf(Finish.ProviderAway.class);
  }

  static Stream<ProviderStandIn.Raw> noAnswersOfAProvider() {
    String json = "application/json";
    return Stream.of(
        new ProviderStandIn.Raw(502, "text/html", "<html>invalid_grant</html>"),
        new ProviderStandIn.Raw(503, json, ""),
        new ProviderStandIn.Raw(500, json, "{\"error\":\"invalid_grant\"}"),
        new ProviderStandIn.Raw(400, json, "{\"error\":\"other\"}"),
        new ProviderStandIn.Raw(400, json, "{\"error\":7}"),
        new ProviderStandIn.Raw(403, "text/html", "<html>blocked</html>"),
        new ProviderStandIn.Raw(302, json, "{}"),
        new ProviderStandIn.Raw(200, json, "null"),
        new ProviderStandIn.Raw(200, json, "{\"access_token\":\"opaque\"}"));
  }

  /// Nobody was refused, so it counts against nobody.
  @ParameterizedTest(name = "{index}")
  @MethodSource("noAnswersOfAProvider")
  void whatIsNoAnswerOfAProviderRefusesNobody(ProviderStandIn.Raw answer) {
    provider.proxy = Optional.of(answer);

    for (int i = 0; i < 31; i++) {
      assertThat(signIn()).isInstanceOf(Finish.ProviderAway.class);
    }
    assertThat(lastFailure().reason()).contains("oidc_provider_away");
  }

  @Test
  void aClientIsNamedInAFieldAsInAFormWhereTheProviderWantsThat() {
    provider.configuration =
        it ->
            it.put(
                "token_endpoint_auth_methods_supported",
                new JsonArray(List.of("client_secret_basic")));

    assertThat(signIn()).isInstanceOf(Finish.Granted.class);
  }

  @Test
  void aProviderThatIsDownIsSaid() {
    Begun begun = begin();
    Map<String, String> back = provider.signIn(begun.url());
    provider.close();

    assertThat(comeBack(begun.secret(), back)).isInstanceOf(Finish.ProviderAway.class);
  }

  @Test
  void aSecretThatDoesNotFitIsSaidInTheAuditTrailAndKeptOut(@TempDir Path directory)
      throws IOException {
    Path wrong = Files.writeString(directory.resolve("wrong"), "another secret");
    OidcSignIns other = signIns(rig.node(), wrong, Map.of());
    var begun = (Begin.AtProvider) other.begin(AccessRig.ORIGIN);
    Map<String, String> back = provider.signIn(begun.url());

    Finish finish =
        other.finish(
            new WayBack(
                Optional.of(begun.secret()),
                Optional.ofNullable(back.get("state")),
                Optional.ofNullable(back.get("code")),
                Optional.ofNullable(back.get("iss")),
                Optional.empty()),
            AccessRig.ORIGIN);
    other.close();

    assertThat(finish).isEqualTo(new Finish.Refused(Why.PROVIDER_REFUSED));
    assertThat(lastFailure().changes()).containsEntry("error", "invalid_client");
    assertThat(lastFailure().toString()).doesNotContain("another secret");
  }

  @Test
  void aConfigurationOfAnotherIssuerIsNotFollowed() {
    provider.configuration = it -> it.put("issuer", "https://evil.example");

    assertThat(signIns.begin(AccessRig.ORIGIN)).isInstanceOf(Begin.ProviderAway.class);
  }

  @Test
  void nothingSecretIsSentInTheClearToAnotherMachine() {
    provider.configuration = it -> it.put("token_endpoint", "http://login.example.com/token");

    assertThat(signIns.begin(AccessRig.ORIGIN)).isInstanceOf(Begin.ProviderAway.class);
  }

  @Test
  void whoFailsTooOftenWaits() {
    hasRoles();
    for (int i = 0; i < 30; i++) {
      assertThat(signIn()).isEqualTo(new Finish.Refused(Why.NO_ROLE));
    }

    assertThat(comeBack("x".repeat(43), Map.of())).isInstanceOf(Finish.Limited.class);
    assertThat(signIns.begin(AccessRig.ORIGIN)).isInstanceOf(Begin.Limited.class);
  }

  /// Any page can send the browsers of an office here.
  @Test
  void waysBackWithoutASignInDoNotLockTheirSourceOut() {
    for (int i = 0; i < 31; i++) {
      assertThat(comeBack("x".repeat(43), Map.of())).isEqualTo(new Finish.Refused(Why.STATE));
    }

    assertThat(signIn()).isInstanceOf(Finish.Granted.class);
  }

  /// An office behind one address, and people who think better of it.
  @Test
  void whoBeginsAndLeavesKeepsNobodyElseFromSigningIn() {
    for (int i = 0; i < 100; i++) {
      begin();
    }

    assertThat(signIn()).isInstanceOf(Finish.Granted.class);
  }

  @Test
  void aSourceWithEndlesslyManyWaysBackWaits() {
    rig.real.execute(
        "insert into oidc_flows (state_hash, source, expires_at) select sha256(n::text::bytea), '"
            + Sources.of(AccessRig.ORIGIN.ip())
            + "', now() + interval '5 minutes' from generate_series(1, 1000) n");

    assertThat(signIn()).isInstanceOf(Finish.Busy.class);
  }

  /// The time is in the state, and a browser that makes both up has none that lasts.
  @Test
  void nobodyProlongsASignIn() {
    Begun begun = begin();
    Map<String, String> back = provider.signIn(begun.url());
    rig.pass(Duration.ofMinutes(11));
    long later = Long.parseLong(begun.secret().substring(44)) + 300;

    assertThat(comeBack(begun.secret().substring(0, 44) + later, back))
        .isEqualTo(new Finish.Refused(Why.STATE));
  }
}

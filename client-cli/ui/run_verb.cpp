#include <iostream>

#include "client-cli/ui/verbs.hpp"
#include "client-cli/vault/sealed_vault.hpp"

namespace interlude::ui {

namespace {

int call(Options const& options) {
    using Play = int (*)(Options const&);
    static std::map<std::string, Play> const table{{"join", join},
                                                   {"invite", invite},
                                                   {"list", list},
                                                   {"name", name_conversation},
                                                   {"verify", verify},
                                                   {"devices", devices},
                                                   {"status", status},
                                                   {"send", send},
                                                   {"held", held},
                                                   {"recall", recall},
                                                   {"replace", replace},
                                                   {"read", read},
                                                   {"watch", watch},
                                                   {"chat", chat},
                                                   {"hours set", hours_set},
                                                   {"hours open", hours_open},
                                                   {"hours close", hours_close},
                                                   {"hours open-now", hours_open_now},
                                                   {"hours away", hours_away},
                                                   {"hours postpone", hours_postpone},
                                                   {"hours preview", hours_preview},
                                                   {"hours undo", hours_undo},
                                                   {"hours show", hours_show},
                                                   {"crisis", crisis},
                                                   {"audit verify", audit_verify}};
    if (options.verb == "help") {
        std::cout << help_text();
        return done;
    }
    if (options.verb == "version") {
        std::cout << "interlude " INTERLUDE_VERSION "\n";
        return done;
    }
    return table.at(options.verb)(options);
}

void tell(Options const& options, std::string const& code, std::string const& text, std::string const& hint) {
    if (options.json) {
        json object{{"type", "error"}, {"code", code}, {"text", text}};
        if (!hint.empty()) object["hint"] = hint;
        print_json(object);
    } else {
        std::cerr << "interlude: " << text << (hint.empty() ? "" : ".\n  " + hint) << '\n';
    }
}

Exit exit_of(vault::VaultError::Kind kind) {
    switch (kind) {
        case vault::VaultError::Kind::wrong_key:
        case vault::VaultError::Kind::busy:
        case vault::VaultError::Kind::newer:
        case vault::VaultError::Kind::older:
        case vault::VaultError::Kind::missing:
            return not_allowed;
        case vault::VaultError::Kind::damaged:
            return bad_data;
        case vault::VaultError::Kind::disk:
            return disk;
    }
    return disk;
}

std::string code_of(vault::VaultError::Kind kind) {
    switch (kind) {
        case vault::VaultError::Kind::wrong_key:
            return "wrong_passphrase";
        case vault::VaultError::Kind::busy:
            return "busy";
        case vault::VaultError::Kind::newer:
            return "newer_vault";
        case vault::VaultError::Kind::older:
            return "older_vault";
        case vault::VaultError::Kind::missing:
            return "no_home";
        case vault::VaultError::Kind::damaged:
            return "damaged_vault";
        case vault::VaultError::Kind::disk:
            return "disk";
    }
    return "vault";
}

}  // namespace

int run_verb(Options const& options) {
    constexpr int bug = 70;
    try {
        return call(options);
    } catch (Failure const& failure) {
        tell(options, failure.code, failure.what(), failure.hint);
        return failure.exit;
    } catch (vault::VaultError const& error) {
        tell(options, code_of(error.kind), error.what(), "");
        return exit_of(error.kind);
    } catch (std::exception const& error) {
        tell(options, "bug", std::string("unexpected: ") + error.what(), "please report it; nothing is lost");
        return bug;
    }
}

}  // namespace interlude::ui

#include "server/app/config.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <cstdlib>
#include <functional>

namespace interlude::app {

namespace {

struct Number {
    std::int64_t LimitValues::*field;
    std::int64_t least;
    std::int64_t most;
};
using Assign = std::function<void(Config&, std::string const& key, toml::node const&, std::filesystem::path const&)>;

struct Key {
    std::string name;  // dotted
    std::string type;
    std::string purpose;
    Assign assign;
};

[[noreturn]] void wrong_type(std::string const& key, std::string const& type) {
    throw ConfigError(key + " must be " + type + ".");
}

std::string text_of(std::string const& key, toml::node const& node) {
    auto const value = node.value_exact<std::string>();
    if (!value || value->empty()) wrong_type(key, "a text in quotes");
    return *value;
}

std::vector<std::string> texts_of(std::string const& key, toml::node const& node) {
    auto const* const array = node.as_array();
    if (!array) wrong_type(key, "a list of texts, e.g. [\"127.0.0.1:8443\"]");
    std::vector<std::string> out;
    for (auto const& element : *array) out.push_back(text_of(key, element));
    return out;
}

constexpr std::string_view credentials_prefix = "${CREDENTIALS_DIRECTORY}/";

bool is_credential(std::string const& path) {
    return path.rfind(credentials_prefix, 0) == 0;
}

std::filesystem::path path_of(std::string const& key, toml::node const& node, std::filesystem::path const& folder) {
    auto const text = text_of(key, node);
    if (!is_credential(text)) return (folder / text).lexically_normal();
    auto const* const credentials = std::getenv("CREDENTIALS_DIRECTORY");
    if (!credentials)
        throw ConfigError(key + " names " + std::string(credentials_prefix) +
                          ", which only systemd sets: start the service, or name a file.");
    return (std::filesystem::path(credentials) / text.substr(credentials_prefix.size())).lexically_normal();
}

Key text(std::string name, std::string purpose, std::string Config::*field) {
    return {name, "text", std::move(purpose),
            [field](Config& config, std::string const& key, toml::node const& node, auto const&) {
                config.*field = text_of(key, node);
            }};
}
Key texts(std::string name, std::string purpose, std::vector<std::string> Config::*field) {
    return {name, "list of texts", std::move(purpose),
            [field](Config& config, std::string const& key, toml::node const& node, auto const&) {
                config.*field = texts_of(key, node);
            }};
}
Key path(std::string name, std::string purpose, std::filesystem::path Config::*field) {
    return {name, "path", std::move(purpose),
            [field](Config& config, std::string const& key, toml::node const& node, auto const& folder) {
                config.*field = path_of(key, node, folder);
            }};
}
Key limit(std::string name, std::string purpose, Number number) {
    auto const range = "a whole number from " + std::to_string(number.least) + " to " + std::to_string(number.most);
    LimitValues const defaults;
    return {"limits." + name, range + ", default " + std::to_string(defaults.*number.field), std::move(purpose),
            [number, range](Config& config, std::string const& key, toml::node const& node, auto const&) {
                auto const value = node.value_exact<std::int64_t>();
                if (!value || *value < number.least || *value > number.most) wrong_type(key, range);
                config.limits.*number.field = *value;
            }};
}

std::vector<Key> const& keys() {
    using L = LimitValues;
    static std::vector<Key> const table{
        text("server_name", "the host name that apps connect to and the certificate names", &Config::server_name),
        texts("listen", "addresses and ports; port 0 is any free one", &Config::listen),
        path("tls.certificate", "certificate chain, PEM; ${CREDENTIALS_DIRECTORY}/NAME: a credential of systemd's",
             &Config::tls_certificate),
        {"tls.key", "path", "its private key, PEM, mode 0600; likewise",
         [](Config& config, std::string const& key, toml::node const& node, std::filesystem::path const& folder) {
             config.tls_key = path_of(key, node, folder);
             config.tls_key_is_credential = is_credential(text_of(key, node));
         }},
        {"tls.min", "\"1.3\" or \"1.2\", default \"1.3\"", "the oldest TLS version that is accepted",
         [](Config& config, std::string const& key, toml::node const& node, auto const&) {
             auto const value = text_of(key, node);
             if (value != "1.2" && value != "1.3") wrong_type(key, "\"1.2\" or \"1.3\"");
             config.tls_1_2 = value == "1.2";
         }},
        {"store.url", "\"sqlite:FILE\"", "where everything durable is kept",
         [](Config& config, std::string const& key, toml::node const& node, std::filesystem::path const& folder) {
             auto const value = text_of(key, node);
             if (value.rfind("sqlite:", 0) != 0 || value.size() == 7) wrong_type(key, "\"sqlite:FILE\"");
             config.store_file = (folder / value.substr(7)).lexically_normal();
         }},
        path("log.key", "the audit log's signing key; made at the first start, mode 0600", &Config::log_key),
        path("admin.socket", "the local socket that interludectl talks to", &Config::admin_socket),
        {"web.root", "not yet", "reserved for the folder of a web app",
         [](Config&, std::string const& key, toml::node const&, auto const&) {
             throw ConfigError(key + ": this version has no web app to serve. Remove the key.");
         }},
        texts("web.origins", "other origins whose pages may open a link", &Config::web_origins),
        limit("connections", "open connections in all", {&L::connections, 1, 1'000'000}),
        limit("connections_per_address", "of one IPv4 address or IPv6 /64", {&L::connections_per_address, 1, 100'000}),
        limit("handshake_seconds", "for TLS, and for each HTTP header", {&L::handshake_seconds, 1, 600}),
        limit("login_seconds", "from the upgrade to a valid login", {&L::login_seconds, 1, 600}),
        limit("idle_seconds", "without a frame or a pong", {&L::idle_seconds, 5, 3600}),
        limit("frame_bytes", "of one frame", {&L::frame_bytes, 64 * 1024, 256 * 1024}),
        limit("outbox_bytes", "waiting for one link", {&L::outbox_bytes, 512 * 1024, 64 * 1024 * 1024}),
        limit("in_flight", "requests of one link without an answer", {&L::in_flight, 1, 4096}),
        limit("messages_burst", "messages of one device at once", {&L::messages_burst, 1, 1'000'000}),
        limit("messages_per_second", "messages of one device, lasting", {&L::messages_per_second, 1, 1'000'000}),
        limit("undelivered_messages", "waiting for one account", {&L::undelivered_messages, 1, 10'000'000}),
        limit("undelivered_bytes", "waiting for one account", {&L::undelivered_bytes, 1'000'000, 1'000'000'000'000}),
        limit("undelivered_messages_per_conversation", "waiting for one account in one conversation",
              {&L::undelivered_messages_per_conversation, 1, 10'000'000}),
        limit("undelivered_bytes_per_conversation", "waiting for one account in one conversation",
              {&L::undelivered_bytes_per_conversation, 1'000'000, 1'000'000'000'000}),
        limit("hold_life_days", "how long an envelope is kept after it passed", {&L::hold_life_days, 8, 35}),
        limit("invitations_open", "open invitations of one therapist", {&L::invitations_open, 1, 10'000}),
        limit("invitation_days", "the longest life of an invitation", {&L::invitation_days, 1, 30}),
        limit("redeem_tries_per_hour", "redemptions with one invitation, over all its links",
              {&L::redeem_tries_per_hour, 1, 10'000}),
        limit("key_packages_per_device", "kept", {&L::key_packages_per_device, 10, 1000}),
        limit("key_package_fetches_burst", "of one account at once", {&L::key_package_fetches_burst, 1, 10'000}),
        limit("commits_per_hour", "of one device and conversation", {&L::commits_per_hour, 1, 10'000}),
    };
    return table;
}

/// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            auto const above = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row.back();
}

Key const& find_key(std::string const& name) {
    auto const& table = keys();
    auto const found = std::find_if(table.begin(), table.end(), [&](Key const& key) { return key.name == name; });
    if (found != table.end()) return *found;
    auto const nearest = std::min_element(table.begin(), table.end(), [&](Key const& a, Key const& b) {
        return distance(a.name, name) < distance(b.name, name);
    });
    throw ConfigError("there is no key \"" + name + "\". Did you mean \"" + nearest->name + "\"?");
}

/// A table is a section of the file, known by the keys in it.
void check_section(std::string const& name) {
    auto const& table = keys();
    auto const within = [&](Key const& key) { return key.name.rfind(name + ".", 0) == 0; };
    if (std::any_of(table.begin(), table.end(), within)) return;
    for (auto const& key : table)
        if (key.name == name) wrong_type(name, key.type);
    std::string nearest;
    for (auto const& key : table) {
        auto const dot = key.name.find('.');
        if (dot == std::string::npos) continue;
        auto const section = key.name.substr(0, dot);
        if (nearest.empty() || distance(section, name) < distance(nearest, name)) nearest = section;
    }
    throw ConfigError("there is no section \"" + name + "\". Did you mean \"" + nearest + "\"?");
}

void apply(Config& config, toml::table const& table, std::string const& prefix, std::filesystem::path const& folder) {
    for (auto const& [name, node] : table) {
        auto const key = prefix + std::string(name.str());
        if (auto const* const inner = node.as_table()) {
            check_section(key);
            apply(config, *inner, key + ".", folder);
        } else {
            find_key(key).assign(config, key, node, folder);
        }
    }
}

/// `key=value`; the value as TOML, or as plain text where it is not (so that paths need no quotes).
toml::table parse_setting(std::string const& setting) {
    auto const equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
        throw ConfigError("--set " + setting + ": write key=value, e.g. --set limits.idle_seconds=60");
    auto const key = setting.substr(0, equals);
    auto const value = setting.substr(equals + 1);
    find_key(key);
    try {
        return toml::parse(key + " = " + value);
    } catch (toml::parse_error const&) {
        toml::table root;
        auto* table = &root;
        auto rest = key;
        for (auto dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
            table = table->insert(rest.substr(0, dot), toml::table{}).first->second.as_table();
            rest = rest.substr(dot + 1);
        }
        table->insert(rest, value);
        return root;
    }
}

void require(bool given, std::string const& key, std::string const& example) {
    if (!given) throw ConfigError(key + " is missing. Add for example: " + example);
}

}  // namespace

Config load_config(std::filesystem::path const& file, std::vector<std::string> const& settings) {
    Config config;
    auto const folder = std::filesystem::absolute(file).parent_path();
    try {
        if (!std::filesystem::exists(file))
            throw ConfigError("there is no such file. Write one, or name another with --config.");
        apply(config, toml::parse_file(file.string()), "", folder);
        for (auto const& setting : settings) apply(config, parse_setting(setting), "", folder);
    } catch (toml::parse_error const& error) {
        throw ConfigError(file.string() + ":" + std::to_string(error.source().begin.line) + ": " +
                          std::string(error.description()));
    } catch (ConfigError const& error) {
        throw ConfigError(file.string() + ": " + error.what());
    }
    require(!config.server_name.empty(), "server_name", "server_name = \"chat.example.org\"");
    require(!config.tls_certificate.empty(), "tls.certificate", "[tls] certificate = \"server.pem\"");
    require(!config.tls_key.empty(), "tls.key", "[tls] key = \"server.key\"");
    require(!config.store_file.empty(), "store.url", "[store] url = \"sqlite:interlude.db\"");
    if (config.log_key.empty()) config.log_key = config.store_file.parent_path() / "log.key";
    if (config.admin_socket.empty()) config.admin_socket = config.store_file.parent_path() / "admin.socket";
    return config;
}

std::string describe_keys() {
    std::string out;
    for (auto const& key : keys()) out += "  " + key.name + " (" + key.type + "): " + key.purpose + "\n";
    return out;
}

}  // namespace interlude::app

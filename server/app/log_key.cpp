#include "server/app/log_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "common/bytes/text.hpp"
#include "server/app/daemon.hpp"

namespace interlude::app {

crypto::SigningKey load_log_key(std::filesystem::path const& file) {
    struct stat status {};
    if (stat(file.c_str(), &status) != 0)
        throw StartError(exit_configuration, "cannot read log.key " + file.string() + ": " + std::strerror(errno));
    if ((status.st_mode & 077) != 0)
        throw StartError(exit_configuration,
                         "log.key " + file.string() + " can be read by others. Run: chmod 600 " + file.string());
    std::ifstream in(file);
    std::string text;
    in >> text;
    auto seed = bytes::from_hex(text);
    auto key = seed ? crypto::SigningKey::from_seed(*seed) : base::Result<crypto::SigningKey>(base::Errc::bad_key);
    if (!key)
        throw StartError(exit_configuration, "log.key " + file.string() +
                                                 " does not hold a key. Restore it from your backup; a new key would "
                                                 "break every proof that was given.");
    explicit_bzero(text.data(), text.size());
    explicit_bzero(seed->data(), seed->size());
    return std::move(*key);
}

void need_no_log(std::filesystem::path const& file, std::filesystem::path const& store) {
    std::error_code missing;
    auto const size = std::filesystem::file_size(store, missing);
    if (!missing && size > 0)
        throw StartError(exit_configuration,
                         "log.key " + file.string() + " is missing, but the store " + store.string() +
                             " has a log that was signed with it. Restore the key from your backup, or set log.key to "
                             "where it is; a new key would break every proof that was given.");
}

crypto::SigningKey load_or_make_log_key(std::filesystem::path const& file, std::filesystem::path const& store,
                                        crypto::Entropy& entropy) {
    if (std::filesystem::exists(file)) return load_log_key(file);
    need_no_log(file, store);
    auto key = crypto::SigningKey::generate(entropy);
    auto text = bytes::to_hex(key.expose_seed()) + "\n";
    auto const temporary = file.string() + ".new";
    int const fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool const written = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                         fsync(fd) == 0 && rename(temporary.c_str(), file.c_str()) == 0;
    auto const reason = std::string(std::strerror(errno));
    if (fd >= 0) close(fd);
    explicit_bzero(text.data(), text.size());
    if (!written) throw StartError(exit_disk, "cannot write log.key " + file.string() + ": " + reason);
    int const folder = open(file.parent_path().empty() ? "." : file.parent_path().c_str(), O_RDONLY | O_DIRECTORY);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
    return key;
}

}  // namespace interlude::app

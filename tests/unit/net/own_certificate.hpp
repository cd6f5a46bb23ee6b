// A certificate signed by its own key, as files for a server.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>

namespace interlude::test {

inline void write_key(std::filesystem::path const& file, EVP_PKEY* key) {
    auto* const out = fopen(file.c_str(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(out);
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
}

/// For these names, valid from and until so many seconds after now.
inline void write_certificate(std::filesystem::path const& file, EVP_PKEY* key, char const* names, std::int64_t from,
                              std::int64_t until) {
    auto* const made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(made), from);
    X509_gmtime_adj(X509_getm_notAfter(made), until);
    X509_set_pubkey(made, key);
    auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(made, key, EVP_sha256());
    auto* const out = fopen(file.c_str(), "w");
    PEM_write_X509(out, made);
    fclose(out);
    X509_free(made);
}

}  // namespace interlude::test

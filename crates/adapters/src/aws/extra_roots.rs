//! Root certificates beside the compiled-in ones: those of a PEM file.
//!
//! They are for networks whose proxy inspects TLS, and for TLS in front of an emulator.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, TrustAnchor};

/// Additional root certificates. None by default.
#[derive(Clone, Debug, Default)]
pub struct ExtraRoots(Vec<TrustAnchor<'static>>);

/// Why the certificates of a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExtraRootsError {
    #[error("the file cannot be read")]
    Unreadable(#[source] std::io::Error),
    #[error("the file is not PEM")]
    NotPem(#[source] pem::Error),
    #[error("the file has no certificate")]
    NoCertificate,
    #[error("a certificate of the file cannot be used")]
    Unusable(#[source] rustls::Error),
}

impl ExtraRoots {
    /// Reads a PEM file with at least one certificate. Other sections are ignored.
    ///
    /// # Errors
    /// The file cannot be read, has no certificate, or has one that is not X.509.
    pub fn read(file: &Path) -> Result<Self, ExtraRootsError> {
        Self::of(&std::fs::read(file).map_err(ExtraRootsError::Unreadable)?)
    }

    fn of(pem: &[u8]) -> Result<Self, ExtraRootsError> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(ExtraRootsError::NotPem)?;
            store.add(certificate).map_err(ExtraRootsError::Unusable)?;
        }
        if store.is_empty() {
            return Err(ExtraRootsError::NoCertificate);
        }
        Ok(Self(store.roots))
    }

    pub(crate) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::default();
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn every_certificate_of_a_bundle_is_taken() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let bundle = format!("a comment\n{}{key}{}", authority(), authority());
        assert_eq!(ExtraRoots::of(bundle.as_bytes()).unwrap().0.len(), 2);
    }

    #[test]
    fn a_bundle_that_cannot_be_used_says_why() {
        let begun = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        let whole = format!("{begun}-----END CERTIFICATE-----\n");
        assert!(matches!(
            ExtraRoots::of(b"nothing"),
            Err(ExtraRootsError::NoCertificate)
        ));
        assert!(matches!(
            ExtraRoots::of(begun.as_bytes()),
            Err(ExtraRootsError::NotPem(_))
        ));
        assert!(matches!(
            ExtraRoots::of(whole.as_bytes()),
            Err(ExtraRootsError::Unusable(_))
        ));
        assert!(matches!(
            ExtraRoots::read(Path::new("/does/not/exist.pem")),
            Err(ExtraRootsError::Unreadable(_))
        ));
    }
}

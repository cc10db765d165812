//! Safe loops on the widest instructions that the machine has.

/// Runs `work`, and what is inlined into it, compiled for the machine's widest instructions (AVX-512, AVX2, NEON …).
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    struct Work<F>(F);
    impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Work<F> {
        type Output = R;

        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Work(work))
}
